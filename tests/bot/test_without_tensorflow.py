from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot import without_tensorflow
from bot.without_tensorflow import LEFT_OUT, LeftOut, is_installed

ROOT = Path(__file__).resolve().parents[2]


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "name", ["tensorflow", "keras", "tensorflow_text", "tensorflow_hub", "tensorflow_addons", "tensorboard"]
)
def test_tensorflow_is_not_in_the_environment(name: str) -> None:
    assert name in LEFT_OUT
    assert not is_installed(name)


def test_rasa_itself_is_untouched_and_imports() -> None:
    assert (
        run(
            "from bot import without_tensorflow as w; w.install()\n"
            "import rasa.core.agent, rasa.model_training, rasa.server, rasa.nlu.classifiers.diet_classifier"
        ).returncode
        == 0
    )


def test_stand_ins_can_be_subclassed_called_and_indexed() -> None:
    result = run(
        "from bot import without_tensorflow as w; w.install()\n"
        "import tensorflow as tf, tensorflow.keras.layers as layers\n"
        "from tensorflow.keras.utils import Sequence\n"
        "class Layer(layers.Layer): pass\n"
        "class Both(Sequence, dict): pass\n"
        "@tf.function\n"
        "def kept(): return 7\n"
        "@tf.function(experimental_relax_shapes=True)\n"
        "def other(): return 8\n"
        "tf.Tensor['x']; tf.constant(1.0)\n"
        "assert not isinstance(3, tf.Tensor) and kept() == 7\n"
        "try: pass\n"
        "except tf.errors.SomeError: pass\n"
    )
    assert result.returncode == 0, result.stderr


def test_once_sealed_a_use_says_what_to_install() -> None:
    result = run(
        "from bot import without_tensorflow as w; w.install(); w.seal()\nimport tensorflow as tf\ntf.keras.Model()\n"
    )
    assert result.returncode != 0
    assert "tensorflow==2.12.0" in result.stderr
    assert "tensorflow.keras.Model" in result.stderr


def test_an_installed_package_is_left_alone() -> None:
    assert (
        run(
            "from bot import without_tensorflow as w; w.install()\n"
            "import numpy, sklearn\nassert numpy.__file__ and sklearn.__file__"
        ).returncode
        == 0
    )


def test_serving_goes_without_the_packages_of_training() -> None:
    result = run(
        "from bot import without_tensorflow as w; w.install(serving=True)\n"
        "import sys, bot.server\n"
        "assert not any(name.startswith(('scipy.sparse._', 'sklearn.svm')) for name in sys.modules)"
    )
    assert result.returncode == 0, result.stderr


def test_training_with_a_component_that_needs_tensorflow_names_it(sources: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    text = (sources / "config.yml").read_text("utf-8")
    config.write_text(
        text.replace(
            "  - name: bot.entities",
            "  - name: CountVectorsFeaturizer\n  - name: DIETClassifier\n  - name: bot.entities",
        ),
        "utf-8",
    )
    command = [sys.executable, "-m", "bot", "train", "--config", str(config), "--domain", str(sources / "domain.yml")]
    command += ["--data", str(sources / "data"), "--out", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode != 0
    assert "tensorflow==2.12.0" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_message_names_package_and_module() -> None:
    error = LeftOut("aiogram.Bot")
    assert error.name == "aiogram"
    assert "aiogram<2.26" in str(error)
    assert without_tensorflow.TRAINING_ONLY.isdisjoint(LEFT_OUT)
