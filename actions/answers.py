"""Which action answers which intent: for questions in the middle of a form, and for buttons and plain "yes"."""

from collections.abc import Mapping

# The form that does a job.
FORMS: Mapping[str, str] = {
    "track_order": "order_tracking_form",
    "cancel_order": "cancellation_form",
    "change_order": "change_form",
    "refund_status": "refund_form",
    "invoice_request": "invoice_form",
    "complaint": "complaint_form",
    "quote_request": "quote_form",
    "give_feedback": "feedback_form",
}

# The action that answers a question.
QUESTIONS: Mapping[str, str] = {
    "delivery_info": "action_delivery_info",
    "payment_info": "action_payment_info",
    "contact_info": "action_contact_info",
    "discount_info": "action_discount_info",
    "warranty_info": "action_warranty_info",
    "product_info": "action_product_info",
    "product_availability": "action_product_availability",
    "recommend_products": "action_recommend",
    "account_data": "action_account_data",
    "return_or_refund": "action_return_options",
}

# What is answered with a sentence of the domain, utter_<intent>.
PLEASANTRIES = frozenset({"greet", "goodbye", "thank", "help", "bot_challenge", "smalltalk"})

# What else may begin from a button or a confirmed reading.
OTHERS: Mapping[str, str] = {
    "talk_to_human": "action_handoff",
    "delete_my_data": "action_delete_my_data",
    "stop_messages": "action_stop_messages",
    "inform": "action_inform",
    "affirm": "action_affirm",
    "deny": "action_deny",
    "out_of_scope": "action_answer_question",
}


def action_for(intent: str) -> str:
    """The name of the action or form that an intent starts."""
    if intent in PLEASANTRIES:
        return "action_small_talk"
    return FORMS.get(intent) or QUESTIONS.get(intent) or OTHERS[intent]
