"""A toy assistant, trained once: enough to talk to, small enough to train in seconds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")

pytest.importorskip("bot.without_tensorflow", reason="Rasa's side needs Python 3.10: run `make test`").install()
pytest.importorskip("rasa", reason="Rasa is not installed here: run `make test`")

from hypothesis import settings  # noqa: E402

from bot.settings import prepare_environment  # noqa: E402

prepare_environment()
# How long an example takes says more about the machine than about the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

CONFIG = """
recipe: default.v1
assistant_id: toy
language: zh
pipeline:
  - name: bot.language.LanguageDetector
  - name: bot.tokenizer.BilingualTokenizer
  - name: bot.entities.DetailExtractor
  - name: bot.intents.BilingualIntentClassifier
    threshold: 0.2
policies:
  - name: RulePolicy
    core_fallback_action_name: action_default_fallback
"""

DOMAIN = """
version: "3.1"
intents: [greet, goodbye, track_order, inform, out_of_scope, nlu_fallback]
entities: [order_number, email, phone, quantity, budget, rating, language]
slots:
  language:
    type: categorical
    values: [zh, en]
    influence_conversation: false
    mappings: [{type: from_entity, entity: language}]
  order_number:
    type: text
    influence_conversation: false
    mappings: [{type: from_entity, entity: order_number}]
  email:
    type: text
    influence_conversation: false
    mappings: [{type: from_entity, entity: email}]
forms:
  order_form:
    required_slots: [order_number, email]
responses:
  utter_greet:
    - text: 你好
      condition: [{type: slot, name: language, value: zh}]
      buttons: [{title: 查订单, payload: /track_order}]
    - text: Hello
      buttons: [{title: Track, payload: /track_order}]
  utter_bye: [{text: Bye}]
  utter_found: [{text: "Order {order_number} of {email} is on its way."}]
  utter_ask_order_number: [{text: "Which order?\\n\\nThe number is in your e-mail."}]
  utter_ask_email: [{text: "Which e-mail?"}]
  utter_default: [{text: "Sorry?"}]
actions: [action_remote]
session_config: {session_expiration_time: 0, carry_over_slots_to_new_session: true}
"""

RULES = """
version: "3.1"
rules:
  - rule: greet
    steps: [{intent: greet}, {action: utter_greet}]
  - rule: bye
    steps: [{intent: goodbye}, {action: utter_bye}]
  - rule: remote
    steps: [{intent: out_of_scope}, {action: action_remote}]
  - rule: start the form
    steps: [{intent: track_order}, {action: order_form}, {active_loop: order_form}]
  - rule: finish the form
    condition: [{active_loop: order_form}]
    steps: [{action: order_form}, {active_loop: null}, {slot_was_set: [{requested_slot: null}]}, {action: utter_found}]
"""

EXAMPLES: dict[str, list[str]] = {
    "greet": [
        "hello",
        "hi",
        "hi there",
        "hey",
        "good morning",
        "hello there",
        "你好",
        "您好",
        "嗨",
        "在吗",
        "早上好",
        "哈喽",
    ],
    "goodbye": [
        "bye",
        "goodbye",
        "see you",
        "bye bye",
        "good night",
        "see you later",
        "再见",
        "拜拜",
        "下次聊",
        "先这样",
        "回头见",
        "晚安",
    ],
    "track_order": [
        "where is my order",
        "track my order",
        "when will my parcel arrive",
        "has my order shipped",
        "order status please",
        "where is my package",
        "我的订单到哪了",
        "查一下物流",
        "什么时候发货",
        "包裹到哪里了",
        "订单发货了吗",
        "快递怎么还没到",
    ],
    "inform": [
        "my number is 2003",
        "2003",
        "it is a@b.com",
        "the blue one",
        "A1024",
        "order 5521",
        "单号是2003",
        "邮箱是a@b.com",
        "蓝色的",
        "两个",
        "五十块",
        "是这个",
    ],
    "out_of_scope": [
        "what is the capital of france",
        "tell me the weather",
        "who won the match",
        "solve this equation",
        "write a poem",
        "play some music",
        "今天天气怎么样",
        "法国首都是哪",
        "写一首诗",
        "放点音乐",
        "谁赢了比赛",
        "帮我做作业",
    ],
}


def examples_file() -> str:
    parts = ['version: "3.1"', "nlu:"]
    for intent, lines in EXAMPLES.items():
        parts += [f"- intent: {intent}", "  examples: |", *(f"    - {line}" for line in lines)]
    return "\n".join(parts) + "\n"


@pytest.fixture(scope="session")
def examples() -> dict[str, list[str]]:
    return EXAMPLES


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the toy assistant's config.yml, domain.yml and data/."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "data").mkdir()
    (folder / "config.yml").write_text(CONFIG, "utf-8")
    (folder / "domain.yml").write_text(DOMAIN, "utf-8")
    (folder / "data" / "rules.yml").write_text(RULES, "utf-8")
    (folder / "data" / "nlu.yml").write_text(examples_file(), "utf-8")
    return folder


@pytest.fixture(scope="session")
def train(sources: Path) -> Callable[[Path], Path]:
    from bot.training import train as train_bot

    def run(out: Path) -> Path:
        code = train_bot(
            str(sources / "config.yml"), str(sources / "domain.yml"), str(sources / "data"), str(out), "toy"
        )
        assert code == 0
        return out / "toy.tar.gz"

    return run


@pytest.fixture(scope="session")
def model(train: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("models"))
