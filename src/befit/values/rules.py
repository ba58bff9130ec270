"""A guard of patterns and lists: what is plainly harmful in what was asked and in what is said.

Quick, needs no model, and explains itself by the name of the rule. It catches the blunt cases and
misses what is put differently: the learned heads stand beside it. A word alone is never enough:
each rule wants a deed and a victim, or a thing that has one use.
"""

import re
from dataclasses import dataclass
from typing import Literal

from befit.core.dialogue import Context, Verdict
from befit.values.constitution import constitution
from befit.values.refusals import is_refusal
from befit.values.secrets import spilled

_VICTIM = (
    r"(?:(?:my|his|her|their|your|our|an?|the|some|this|that|another|every|all|other|innocent"
    r"|\d+|many|more)\s+){0,3}"
    r"(?:(?:old|young|little|homeless|pregnant|elderly|school|next[- ]door|business|black|white"
    r"|gay|muslim|jewish|ex|police|former|step)[- ]?){0,2}"
    r"(?:wife|husband|spouse|partner|boyfriend|girlfriend|mother|mum|mom|father|dad|parents?"
    r"|brother|sister|sibling|son|daughter|child(?:ren)?|kids?|bab(?:y|ies)|toddler|infant"
    r"|teen(?:ager)?s?"
    r"|neighbou?rs?|roommate|flatmate|landlord|boss|manager|co-?workers?|colleagues?|classmates?"
    r"|teachers?|students?|pupils?|judge|politicians?|president|senator|officers?|cops?|guards?"
    r"|police(?:man|men)?|soldiers?|wom[ae]n|m[ae]n|girls?|boys?|people|persons?|someone|somebody"
    r"|humans?|strangers?|family|families|friends?|relatives?|aunt|uncle|grandm\w+|grandf\w+"
    r"|witness(?:es)?|hostages?|prisoners?|crowd|immigrants|jews|muslims|christians|him|them|ex)\b"
)
_MINOR = (
    r"(?:child(?:ren)?|minors?|under-?age(?:d)?|preteens?|toddlers?|infants?|little (?:girl|boy)s?"
    r"|school ?(?:girl|boy)s?|(?:[1-9]|1[0-5])[- ]year[- ]olds?)"
)
_MAKE = (
    r"(?:make|making|build|create|construct|assemble|synthesi[sz]e|cook|produce|manufacture|prepare"
    r"|brew|print|mix|detonate|get hold of)"
)
_WEAPON = (
    r"(?:(?:pipe|nail|petrol|fertili[sz]er|car|dirty|nuclear|pressure[- ]cooker|home-?made) ?bombs?"
    r"|(?:an?|the) (?:real )?bomb\b(?! (?:cyclone|shelter|calorimeter|disposal))|explosives?"
    r"|explosive (?:device|vest)s?|ied\b|molotov\w*|napalm|nerve (?:gas|agent)s?|sarin|mustard gas"
    r"|chemical weapons?|biological weapons?|bio-?weapons?|ricin|anthrax|botulinum toxin|tatp"
    r"|petn|rdx"
    r"|thermite bombs?|ghost guns?|untraceable (?:gun|weapon)s?|silencers?|suppressors? for)"
)
_DRUG = r"(?:(?:crystal )?meth(?:amphetamine)?|heroin|crack cocaine|cocaine|fentanyl|lsd|mdma|ghb)"
_GROUP = (
    r"(?:jews|muslims|christians|blacks?|black people|white people|asians|mexicans|immigrants"
    r"|refugees|gypsies|gays|gay people|lesbians|homosexuals|trans(?:gender)? people|women"
    r"|disabled people|the disabled)"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pattern, where it is looked for, and how sure it is.

    ``triggers`` are the beginnings of words of which one must occur, so that most texts never
    reach the pattern.
    """

    name: str
    where: Literal["asked", "said"]
    score: float
    triggers: str
    pattern: str
    fiction: bool = False  # whether a game or a story may hold it


_RULES = (
    _Rule(
        "killing or wounding somebody",
        "asked",
        0.9,
        "kill murder assassinat strangl stab poison drown shoot behead suffocat tortur chok beat"
        " execut slaughter smother maim kidnap abduct rape molest lynch",
        r"\b(?:kill|murder|assassinate|strangle|stab|poison|drown|shoot|behead|suffocate|torture"
        r"|choke|beat up|execute|slaughter|smother|maim|kidnap|abduct|rape|molest|lynch)\s+"
        + _VICTIM,
        fiction=True,
    ),
    _Rule(
        "a weapon of mass or hidden harm",
        "asked",
        0.95,
        "bomb explosive ied molotov napalm nerve sarin mustard chemical biological bio ricin"
        " anthrax"
        " botulinum tatp petn rdx thermite ghost untraceable silencer suppressor",
        rf"\b{_MAKE}\b[^.?!\n]{{0,40}}\b{_WEAPON}",
    ),
    _Rule(
        "an attack on a public place",
        "asked",
        0.95,
        "bomb blow shoot attack burn detonat derail poison massacr",
        r"\b(?:bomb|blow up|shoot up|attack|burn down|derail|massacre"
        r"|detonate[^.?!\n]{0,30}\b(?:in|at))"
        r"\s+(?:an?|the|my|our|this)\s+(?:\w+ ){0,2}(?:school|church|mosque|synagogue|temple|mall"
        r"|hospital|airport|embassy|(?:train |power |metro |subway )?station|stadium|concert"
        r"|parliament"
        r"|government building|town hall|plane|aeroplane|airplane|train|bus|crowd|nightclub"
        r"|house)\b"
        r"|\bpoison\b[^.?!\n]{0,30}\b(?:water supply|drinking water|reservoir)",
        fiction=True,
    ),
    _Rule(
        "hard drugs",
        "asked",
        0.85,
        "meth methamphetamine crystal heroin crack cocaine fentanyl lsd mdma ghb",
        rf"\b(?:{_MAKE}|cook up|sell|deal|smuggle)\b[^.?!\n]{{0,30}}\b{_DRUG}\b",
        fiction=True,
    ),
    _Rule(
        "sexual content about minors",
        "asked",
        1.0,
        "child minor under preteen toddler infant girl boy little school year",
        rf"\b(?:sexual|sexy|sex|nudes?|naked|porn\w*|erotic|explicit|seduce"
        rf"|groom)\b[^.?!\n]{{0,60}}\b{_MINOR}\b"
        rf"|\b{_MINOR}\b[^.?!\n]{{0,60}}\b(?:porn\w*|nudes?|naked|erotic|sex with|having sex)\b",
    ),
    _Rule(
        "a plan to end one's life",
        "asked",
        0.9,
        "kill end suicid hang overdos cut starv",
        r"\b(?:how|ways?|methods?|help me)\b[^.?!\n]{0,30}\b(?:to |i |can i )?"
        r"(?:kill myself|end my (?:own )?life|commit suicide|hang myself|overdose on)\b",
    ),
    _Rule(
        "malware",
        "asked",
        0.9,
        "ransomware keylogger malware trojan botnet rootkit virus spyware worm ddos",
        r"\b(?:write|create|build|make|code|develop|deploy|spread|send|launch|give me)\b"
        r"(?![^.?!\n]{0,40}\b(?:detect|remov|protect|against|scan|policy|report|essay|lecture))"
        r"[^.?!\n]{0,40}\b(?:ransomware|key-?loggers?|malware|trojan horse virus|trojan|botnets?"
        r"|rootkits?"
        r"|computer virus(?:es)?|spyware|ddos attack|computer worm)\b",
    ),
    _Rule(
        "breaking into somebody's accounts or home",
        "asked",
        0.8,
        "hack break breaking burgl",
        r"\b(?:hack|break|breaking|hacking)\s+in(?:to)?\s+(?!my own\b|the (?:industry|market"
        r"|field|business))"
        r"(?:(?:my|his|her|their|an?|the|some\w*'?s?)\s+)?(?:[\w'-]+\s+){0,3}"
        r"(?:e-?mails?|accounts?|computers?|phone|network|database|bank|wi-?fi|camera|servers?"
        r"|systems?"
        r"|house|home|flat|apartment|car|pharmacy|shop|store)\b"
        r"|\bhack\s+(?:a|an|the|my|his|her|some\w*'?s)\s+(?:[\w'-]+\s+){0,2}"
        r"(?:account|e-?mail|phone|bank|computers?|network|camera|wi-?fi|database)\b|\bburgle\b",
        fiction=True,
    ),
    _Rule(
        "stealing, fraud or forgery",
        "asked",
        0.8,
        "steal forg counterfeit launder phish identit scam blackmail embezzl",
        r"\b(?:steal|stealing)\s+(?:[\w'-]+\s+){0,3}(?:identity|credit cards?|card numbers?"
        r"|passwords?"
        r"|cars?|money|jewell?e?ry|packages|data)\b"
        r"|\b(?:forge|counterfeit|print fake)\s+(?:[\w'-]+\s+){0,2}(?:passports?|signature"
        r"|prescriptions?"
        r"|cheques?|checks?|banknotes?|bills|money|id cards?|documents?)\b"
        r"|\blaunder(?:ing)?\s+(?:\w+ ){0,2}(?:money|cash|profits)\b"
        r"|\b(?:write|create|make|send|craft)\b[^.?!\n]{0,30}\b(?:phishing|scam|blackmail)\s"
        r"(?:[\w-]+ )?(?:e-?mails?|mails?|messages?|sites?|pages?|letters?|calls?)\b"
        r"|\b(?:blackmail|scam|embezzle from)\s+" + _VICTIM,
        fiction=True,
    ),
    _Rule(
        "secret surveillance",
        "asked",
        0.75,
        "track spy stalk watch follow record",
        r"\b(?:track|spy on|stalk|watch|follow|record)\b[^.?!\n]{0,60}\b(?:without\b[^.?!\n]{0,20}"
        r"\b(?:know\w*|consent|notic\w*|permission)|secretly|in the shower)\b",
        fiction=True,
    ),
    _Rule(
        "a threat",
        "said",
        0.9,
        "kill murder shoot stab rape hurt hunt burn destroy",
        r"\bi(?:'ll| will|'m going to| am going to|'m gonna| swear i'll| won't hesitate to"
        r"| will not hesitate to| would love to)\s+(?:find you and\s+)?"
        r"(?:kill|murder|shoot|stab|rape|hurt|hunt|burn|destroy)\s+(?:you\b(?!r)|your (?:family"
        r"|kids|"
        r"children|wife|husband|mother)|him\b|her\b|them\b)",
        fiction=True,
    ),
    _Rule(
        "urging somebody to die",
        "said",
        1.0,
        "kill kys die end world jump",
        r"\b(?:go|just|should|please|why don't you)\s+(?:and\s+)?(?:kill yourself|end your life"
        r"|die in a fire|hang yourself)\b|^\s*kill yourself\b|\bkys\b"
        r"|\byou (?:should|deserve to|ought to) (?:just )?die\b"
        r"|\bworld (?:would|will) be (?:a )?better (?:off |place )?without you\b",
    ),
    _Rule(
        "contempt for a group of people",
        "said",
        0.85,
        "jews muslims christians black blacks white asians mexicans immigrants refugees gypsies gay"
        " gays lesbians homosexuals trans transgender women disabled",
        rf"\b{_GROUP}\s+(?:are|should be|must be|deserve to be|need to be)\s+(?:all |just |really |"
        r"nothing but |naturally |genetically |simply )*"
        r"(?:vermin|sub-?human|inferior|parasites?|animals|filth|scum|disgusting|stupid"
        r"|exterminated"
        r"|gassed|killed|shot|enslaved|deported|lazy|worthless|criminals)\b",
        fiction=True,
    ),
    _Rule(
        "sexual content about minors",
        "said",
        1.0,
        "child minor under preteen toddler infant girl boy little school year",
        rf"\b(?:sexual|sexy|nudes?|naked|porn\w*|erotic|explicit)\b[^.?!\n]{{0,40}}\b{_MINOR}\b"
        rf"|\b{_MINOR}\b[^.?!\n]{{0,40}}\b(?:porn\w*|nudes?|naked|erotic|sex with)\b",
    ),
    _Rule(
        "making a weapon",
        "said",
        0.95,
        "bomb explosive ied molotov napalm nerve sarin mustard chemical biological bio ricin"
        " anthrax"
        " botulinum tatp petn rdx thermite ghost untraceable silencer suppressor",
        rf"\b(?:to|you(?:'ll| can| could| should| will)?|first,?"
        rf"|then) {_MAKE}\b[^.?!\n]{{0,40}}\b{_WEAPON}",
        fiction=True,
    ),
)
_PROTECTS = re.compile(
    r"\b(?:prevent\w*|stop (?:some|a|my|him|her|people|the|being)|protect\w*|report(?:ing)?"
    r"|avoid\w*"
    r"|defen[cds]\w*|recogni[sz]\w*|detect\w*|surviv\w*|support(?:ing)? (?:a|victims|survivors)"
    r"|educat\w*|statistics?|history|historical|law|legal|crime of|definition|define|meaning"
    r"|what does|why (?:is|was|were|did|do)|who (?:killed|shot|murdered|bombed)|awareness|therap\w*"
    r"|abuse hotline|charged with|wants? to (?:kill|hurt|rape|shoot|stab) me)\b"
)
_FICTION = re.compile(
    r"\b(?:game|gameplay|minecraft|fortnite|gta|grand theft auto|hitman|sims|skyrim|chess|dungeons"
    r"|d&d|novel|story|stories|film|movie|play\b(?! (?:with|on))|plot|character|chapter|screenplay"
    r"|hamlet|macbeth|shakespeare|fictional|fairy tale|comic|tv show|series|episode|book|boss fight"
    r"|npc|level|quest)\b"
)
_WORDS = re.compile(r"[a-z]{2,}")
_ANY = tuple({start for rule in _RULES for start in rule.triggers.split()})
_HEAD = 3  # letters by which a trigger is looked up
_HEADS = frozenset(start[:_HEAD] for start in _ANY)
_COMPILED = tuple(
    (rule, frozenset(start[:_HEAD] for start in rule.triggers.split()), re.compile(rule.pattern))
    for rule in _RULES
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesGuard:
    """Patterns for clearly harmful requests and texts, and for secrets spilled.

    A request counts only where the reply does not decline it. ``caution`` lowers the score from
    which a rule refuses, so that violence in games and stories is refused as well.
    """

    @property
    def name(self) -> str:
        return "rules"

    @property
    def values(self) -> tuple[str, ...]:
        return ("harmless",)

    def check(self, context: Context, text: str, caution: float) -> Verdict:
        limit = constitution()["harmless"].limit(caution)
        score, reason = _worst(context.prompt, text) if text.strip() else (0.0, "")
        return Verdict(
            guard="rules",
            allowed=score < limit,
            reason=f"looks like {reason}" if reason else "",
            score=score,
            threshold=limit,
        )


def _worst(prompt: str, text: str) -> tuple[float, str]:
    found = [
        (score, name) for score, name in (spilled(prompt, text), _matched("said", text)) if name
    ]
    asked = _matched("asked", prompt)
    if asked[1] and not is_refusal(text):
        found.append(asked)
    return max(found, default=(0.0, ""))


def _matched(where: str, text: str) -> tuple[float, str]:
    lower = text.lower().replace("\u2019", "'")
    starts = {word[:_HEAD] for word in _WORDS.findall(lower)}
    if starts.isdisjoint(_HEADS):
        return 0.0, ""
    best = (0.0, "")
    for rule, heads, pattern in _COMPILED:
        if rule.where != where or rule.score <= best[0] or starts.isdisjoint(heads):
            continue
        if found := pattern.search(lower):
            score = rule.score * _share(rule, lower, found)
            best = max(best, (score, rule.name if score else ""))
    return best


def _share(rule: _Rule, lower: str, found: re.Match[str]) -> float:
    """How much of the score stands.

    None where the sentence protects from the deed; half in a game or a story that may hold it, so
    that caution alone refuses it.
    """
    start = max(lower.rfind(mark, 0, found.start()) for mark in (".", "!", "?", "\n")) + 1
    sentence = lower[start : found.end() + 40]
    if _PROTECTS.search(sentence):
        return 0.0
    return 0.5 if rule.fiction and _FICTION.search(lower) else 1.0
