"""A screen for what memory would put into a prompt: text that gives a model orders.

A person may say what they like and how they want answers; nobody may, by way of memory, tell the
model to drop its rules, speak as another role, call tools, or carry data out. It reads surface
forms, quickly and without a model, and explains itself; a clever paraphrase gets past it, which is
why memory is also rendered as quoted data. It does not judge harm.
"""

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock

from befit.core.dialogue import Verdict

_HIDDEN = frozenset(
    "\u200b\u200c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\ufeff\u00ad\u180e"
)
_MODEL = r"(?:the )?(?:assistant|ai|model|chatbot|language model|llm|bot|system)"
_RULES = (
    r"(?:(?:all|any|every|the|your|my|our|these|those|previous|prior|earlier|above|preceding|former"
    r"|original|system|safety|content|initial|other|such|of)\s+){0,5}"
    r"(?:instructions?|prompts?|rules?|guidelines?|polic(?:y|ies)|directives?|programming|training"
    r"|restrictions?|safeguards?|filters?|guardrails?|safety|ethics|constraints?|what you were told"
    r"|everything (?:above|before)|context|messages?)\b"
)

_PATTERNS = tuple(
    (reason, re.compile(pattern, re.IGNORECASE | re.MULTILINE))
    for reason, pattern in (
        (
            "tells the model to drop its instructions",
            r"\b(?:ignore|disregard|forget|override|overrule|bypass|disable|drop|skip|violate|break"
            r"|do not (?:follow|obey)|don't (?:follow|obey)|stop following|delete|erase|suspend)\s+"
            + _RULES
            + r"|\bnew (?:instructions?|rules|system prompt)\s*(?::|follow|are|below)"
            r"|\b(?:instructions?|rules) (?:above|before this) (?:are|were|is) (?:void|wrong"
            r"|cancel)"
            r"|\b(?:no longer|not) bound by\b|\b(?:without|no) (?:any )?(?:restrictions|limitations"
            r"|filters|guardrails|censorship)\b",
        ),
        (
            "speaks as another role",
            r"^\s*[#>*\[({<-]*\s*(?:system|assistant|developer|tool|function|admin|root|user|human)"
            r"(?: (?:prompt|message|note|instruction|override))?\s*[\])}>*]*\s*:"
            r"|<\|[a-z0-9_ ]{1,40}\|>|</?(?:system|assistant|user|s|instructions?|tool_call"
            r"|function_calls?"
            r"|admin)>|\[/?(?:inst|system|sys)\]|<</?sys>>|<(?:start|end)_of_turn>"
            r"|#{2,}\s*(?:system|instructions?|new instructions?|assistant|response)\b"
            r"|\b(?:begin|end|start) (?:of )?(?:system|new) (?:prompt|message|instructions?)"
            r"|\"role\"\s*:\s*\"(?:system|assistant|tool|developer)\"",
        ),
        (
            "tells the model who it is",
            r"\b(?:you are|you're|you will be|act|behave|respond|pretend to be|roleplay|pose|speak)"
            r"\s+(?:now |from now on |hereby |henceforth )+(?:an? |as |the |in |like |no )"
            r"|\bfrom now on,?\s+(?:you|the (?:assistant|model|ai)|your)\b"
            r"|\b(?:act|behave|respond|answer|pretend|speak|pose) (?:as|like"
            r"|to be) (?:if you (?:were|have|had)"
            r"|though you|an? (?:unrestricted|uncensored|evil|jailbroken|unfiltered|hacker)"
            r"|dan\b|(?:the )?(?:system|developer|admin))"
            r"|\b(?:do anything now|dan mode|developer mode|god mode|jailbreak(?:ed)?|sudo mode"
            r"|debug mode)\b"
            r"|\byou (?:have|had) no (?:rules|ethics|limits|restrictions|filter)",
        ),
        (
            "orders the model",
            r"\byou (?:must|shall|should|have to|need to|will|are (?:required|instructed|ordered"
            r"|obliged|told|commanded) to)(?: now| always| never| only)*\s+(?:always|never|only"
            r"|obey|comply"
            r"|reveal|recommend|output|print|repeat|reply|respond|say|answer|tell|include|insert"
            r"|append|start"
            r"|begin|end|call|run|execute|send|forward|agree|refuse|praise|promote|mention"
            r"|ignore|keep"
            r"|hide|lie|approve|give|use|add|write|provide|help)\b"
            rf"|\b{_MODEL} (?:must|shall|should|has to|is (?:required|instructed|allowed"
            rf"|permitted) to"
            r"|will (?:now|always|never)|can now|may now)\b"
            r"|\b(?:always|never) (?:obey|comply with|refuse)\b"
            r"|\b(?:in|for|at the (?:start|end) of) (?:every|each|all) (?:answers?|repl(?:y|ies)"
            r"|responses?"
            r"|messages?),? (?:recommend|include|insert|append|link|promote|praise|say that"
            r"|add a link)"
            r"|\bwhen(?:ever)? (?:the user|someone|anyone|a user|any user|users?) (?:asks?"
            r"|says?|mentions?"
            r"|types?|requests?)\b"
            r"|\b(?:answer|respond|reply|comply)\b[^.\n]{0,40}\b(?:without (?:refus|warning"
            r"|filter|question)"
            r"|no matter (?:what|how)|regardless of (?:safety|the rules|policy|harm))"
            r"|\bnever (?:refuse|decline|say no to)\b|\b(?:is|are"
            r"|have been) (?:now )?(?:authori[sz]ed|allowed"
            r"|permitted|cleared) to (?:see|access|receive|know|ask for|bypass|share)\b",
        ),
        (
            "asks for what the model was told or knows of others",
            r"\b(?:reveal|print|show|output|repeat|leak|display|recite|dump|disclose|share"
            r"|tell me|list)\b"
            r"[^.\n]{0,40}\b(?:system prompt|hidden (?:prompt|instructions?)"
            r"|your (?:instructions|prompt|rules"
            r"|api key|secrets?|memory of other)|initial prompt|api keys?|passwords?|credentials"
            r"|other (?:users?|people)'?s?'? (?:data|profiles?|memor\w+|messages?|evidence"
            r"|conversations?))",
        ),
        (
            "carries data out",
            r"!\[[^\]]*\]\(\s*(?:https?:|data:|//)|<(?:img|iframe|script|object|embed|link|meta"
            r"|form|svg)\b"
            r"|\bjavascript:|\bon(?:error|load|click)\s*="
            r"|\[[^\]]*\]\(\s*https?://[^)]*[?&{][^)]*(?:\{|=\s*(?:$|\[|%7b|<)|\bdata\b|secret"
            r"|token|history)"
            r"|https?://\S*[?&](?:q|data|d|payload|exfil|secret|token|history|prompt|c|leak)=\S*"
            r"|\b(?:send|post|forward|upload|exfiltrate|e-?mail|transmit|submit"
            r"|report)\b[^.\n]{0,60}\b(?:to)\s+"
            r"(?:https?://|www\.|[\w.+-]+@[\w-]+\.\w|[\w-]+\.(?:com|net|org|io|ru|xyz)\b)"
            r"|\b(?:curl|wget|fetch|nc|bash -c|powershell|rm -rf|eval|exec|os\.system"
            r"|subprocess)\b\s*[-(\"'/h]",
        ),
        (
            "calls a tool",
            r"\b(?:call|invoke|use|run|execute|trigger)\s+(?:the )?(?:tool|function|plugin|shell"
            r"|terminal"
            r"|code interpreter|browser|[a-z]+_[a-z_]+(?:\(|\b tool))"
            r"|\{\s*\"(?:tool|function|name|action)\"\s*:|\btool_call|\bfunction_call",
        ),
        (
            "plants a false memory for the model",
            r"\b(?:note|message|reminder|instruction|memo|important|attention)s? (?:to"
            r"|for) (?:the )?"
            r"(?:assistant|ai|model|llm|chatbot|system|bot)\b"
            r"|\b(?:update|overwrite|rewrite|poison|wipe|save (?:this )?(?:to|in)) (?:your|the"
            r"|its) "
            r"(?:memor(?:y|ies)|profile|instructions|system prompt)\b"
            r"|\b(?:remember|store|memori[sz]e)\b[^.\n]{0,30}\b(?:as (?:a )?(?:rule|instruction"
            r"|system|fact"
            r" about (?:all|every))|for all users|for every user|about all users)"
            r"|\bthe user (?:has )?(?:already )?(?:agreed|consented|approved|authori[sz]ed"
            r"|waived|confirmed)\b"
            r"|\btreat (?:this|the following|me) as (?:a |an |the )?(?:system|trusted|admin"
            r"|developer|instruction)",
        ),
    )
)
_BLOB = re.compile(
    r"(?<![\w+/])[A-Za-z0-9+/]{32,}={0,2}(?![\w+/])|(?:\\x[0-9a-f]{2}){8,}|(?:%[0-9a-f]{2}){8,}"
)
_SEEN: dict[bytes, str] = {}  # by checksum: no words of a person stay here
_MOST_SEEN = 65_536
_SEEING = Lock()
_SPACED = re.compile(r"\b(?:\w[ ._-]){5,}\w\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectionScreen:
    """Refuses excerpts that would act on a model instead of telling of a person."""

    @property
    def name(self) -> str:
        return "injection"

    def inspect(self, text: str) -> Verdict:
        reason = _reason(text)
        return Verdict(
            guard="injection",
            allowed=not reason,
            reason=reason,
            score=float(bool(reason)),
            threshold=0.5,
        )


def _reason(text: str) -> str:
    """Why a text is kept out; the same excerpts come again with every turn of their person."""
    key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    found = _SEEN.get(key)
    if found is None:
        found = _hidden(text) or _encoded(text) or _ordered(text)
        with _SEEING:
            if len(_SEEN) >= _MOST_SEEN:
                del _SEEN[next(iter(_SEEN))]
            _SEEN[key] = found
    return found


def _hidden(text: str) -> str:
    """Characters that a reader does not see and a model does."""
    if text.isascii() and text.isprintable():
        return ""
    for before, character in zip("\0" + text, text, strict=False):
        if character == "\u200d":
            # joins emoji; between letters or digits of plain text it only hides
            if before.isascii():
                return "holds hidden characters"
        elif character in _HIDDEN or 0xE0000 <= ord(character) <= 0xE007F:
            return "holds hidden characters"
        elif unicodedata.category(character) == "Cc" and character not in "\t\n\r":
            return "holds control characters"
    return ""


def _encoded(text: str) -> str:
    """A blob that no person writes of their tastes."""
    for found in _BLOB.finditer(text):
        blob = found.group()
        if not blob[0].isalnum() or _is_base64(blob):
            return "holds an encoded blob"
    return ""


def _is_base64(blob: str) -> bool:
    mixed = any(c.isdigit() or c in "+=" for c in blob) or sum(map(str.isupper, blob)) > 4
    if blob.islower() or not mixed or blob.count("/") > 3:  # a long word, a path
        return False
    try:
        base64.b64decode(blob + "=" * (-len(blob) % 4), validate=True)
    except binascii.Error:
        return False
    return True


def _ordered(text: str) -> str:
    # compatibility forms fold full-width and styled letters; dots between letters are undone
    folded = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    joined = _SPACED.sub(lambda found: re.sub(r"[ ._-]", "", found.group()), folded)
    for reason, pattern in _PATTERNS:
        if pattern.search(folded) or (joined != folded and pattern.search(joined)):
            return reason
    return ""
