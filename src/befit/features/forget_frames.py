"""How people ask for things to be forgotten: the frames that ``features.forget_requests`` reads by.

English, in lower case, contractions written out. Data in the form of patterns; decides nothing.
"""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: What a request has somewhere, in lower case; most messages have none of it and are done with.
TRACES = (
    "forg", "orget", "froge", "foget", "foret", "delet", "delt", "deet", "eras", "erae", "remo",
    "remv", "rmov", "wip", "purg", "scrub", "clear", "drop", "discard", "unl", "unr", "uns", "unh",
    "lose", "losing", "rid of", " go of", "ignor", "disregard", "reset", "clean", "destroy",
    "throw", "dump", "expunge", "empty", "mem", "rembe", "the record", "pretend", "act as",
    "act like", "behave", "scratch", "strike", "back", "withdraw", "retract", "between us", "hear",
    "no more", "no further", "no mention", "no reference", "r notes", "r record", "gone", "known",
    "kept", "stored", "saved", "profile", "out of it", "not", "n't", "n\u2019t", "dont", "stop",
    "never", "longer", "quit", "avoid", "refrain", "no need",
)  # fmt: skip
#: The same more closely, for a single clause.
MAYBE = re.compile(
    r"\b(?:f[orget]{3,7}t|unforg|d[elt]{3,5}|eras|rem[ove]{2,4}|wip|purg|scrub|clear|drop|discard"
    r"|unlearn|unremember|unse|unhear|unread|lose|losing|get(?:ting)? rid|let(?:ting)? go|ignor"
    r"|disregard|reset|clean|destroy|throw|dump|expunge|empty|memor[iy]|mem[ory]{2,4}"
    r"|off the record"
    r"|pretend|act as|act like|behave|scratch|strike|take back|taking back|withdraw|retract|unsay"
    r"|(?:that|this|it) back|between us|not to be|heard|hear|no (?:more|further|mention|reference)"
    r"|your (?:notes?|records?)|gone|known|kept|stored|saved|profile|out of it)"
    r"|(?:\bnot|n't|\bdont|\bstop(?:ped)?|\bnever|\blonger|\bquit|\bavoid|\brefrain"
    r"|\bno need)\b[^.!?\n]{0,40}?"
    r"\b(?:rem|memor|stor|sav|keep|record|not[ei]|log|retain|track|hold|writ|collect|know|learn|tak"
    r"|mak|mention|br[io]|talk|refer|rais|ask|sp[eo]|discuss|touch|us[ei]|consider|rely)",
    re.IGNORECASE,
)

# --- clauses ---------------------------------------------------------------------------------

SENTENCE = re.compile(r"(?:[^.!?\n]|[.!?](?=[^\s.!?\"')]))+[.!?\"')]*\s*|\n+")
ORDERS = (
    r"forget|delete|erase|remove|wipe|clear|drop|ignore|tell|give|help|show|write|explain|make"
    r"|suggest|recommend|add|put|turn|call|buy|answer|focus|start|continue|go|find|list|plan"
    r"|keep|do|don't|dont|never|stop"
    r"|use|try|let|what|how|why|where|when|who|which|can|could|would|will|should|is|are|i|i'm|i'd"
    r"|i'll|we|you|it|imagine|just|please|pls|remember|translate|summari[sz]e|move|scratch|thanks"
)
TAIL = re.compile(
    rf"\s*(?:,|;|\s-+|\u2014|\u2013)\s*(?:(?:and|but|so|then)\s+)?(?=(?:{ORDERS})\b)"
    rf"|\s+(?:and|but|then)\s+(?=(?:(?:please|just|also|now)\s+)*(?:{ORDERS})\b)"
    r"|(?<=\w)\s*:\s+(?=\w)",
    re.IGNORECASE,
)
FILLER = re.compile(
    r"^(?:(?:hey|hi|hello|dear|listen|look|oh|oops|ouch|ugh|wait|well|ok|okay|so|hm+)(?: \w+)?"
    r"|we need to talk"
    r"|for \w+'s? sake"
    r"|i (?:am begging|beg|ask) you|i have been thinking(?: about (?:it|this))?"
    r"|go ahead(?: and)?|do me a favou?r(?: and)?|please|pls|thanks?(?: you)?(?: very much"
    r"| so much)?|sorry|ok|okay|yes|yeah|yep|no|hi|hey"
    r"|hello|never mind|nevermind|really|now|ever|would you|will you|cheers|good|right|alright"
    r"|off the record"
    r"|(?:that|this|it) (?:is|was)(?: really| very| all| too)? (?:private|personal|a mistake|secret"
    r"|confidential|embarrassing|none of your business|wrong|not for you)"
    r"|i (?:am sure|mean it|confirm|made a mistake|was wrong|changed my mind|regret (?:it|that))"
    r"|i (?:should not have|did not mean|never meant|should never have) .*|[\W_]*)$"
)
LEAD = re.compile(
    r"^(?:(?:please|kindly|hey|hi|hello|ok|okay|so|actually|and|also|but|well|sorry|no(?! longer"
    r"| more| need| further| mention| reference)|now|look"
    r"|listen|just|oh|oops|ouch|ugh|wait|hm+|thanks|thank you|then|in fact|honestly|by the way"
    r"|yes|yeah|alright"
    r"|for (?:heaven|god|goodness|pity)(?:'s)? sake|do me a favou?r and|do me a favou?r|dear|bot"
    r"|assistant|immediately|quickly|once and for all|from now on|in (?:the )?future)\b[\s,!:;-]*)+"
)
END = re.compile(
    r"(?:[\s,!.?:;-]*\b(?:please|now|right now|thanks|thank you|ok|okay|immediately|at once"
    r"|for good"
    r"|forever|completely|entirely|asap|already|will you|would you|right away|for me|permanently"
    r"|all right|if you can|if possible|instead|straight away|as well|too|then|altogether))+"
    r"[\s,!.?]*$"
)

# --- who is asked, and to do what ------------------------------------------------------------

SOFT = r"(?:(?:please|do|just|kindly|simply|now|also|then|maybe|possibly|permanently|completely) )*"
WISH = (
    r"(?:(?:can|could|will|would) (?:you|we)"
    r"|it is time (?:for you )?to|i (?:would (?:really )?(?:like|love|prefer|ask|appreciate it)"
    r"|want|need|wish|ask|beg|expect"
    r"|request|demand|am asking|prefer)(?: (?:for|it if|if|that))? you(?: to| would| could"
    r"| should)?"
    r"|you (?:really |just |simply )?(?:should|must|can|may|could|need to|have to|ought to"
    r"|had better|might|are to)"
    r"|(?:it (?:would be|is)|would be) (?:great|nice|good|best|better|kind|lovely|helpful|fine"
    r"|important|cool|okay|ok) (?:if|that|for) you(?: could| would| can| to)?"
    r"|can we agree (?:that|for) you(?: to| will| should)?|(?:is it"
    r"|would it be) possible (?:for you )?to"
    r"|let us|go ahead and|make sure (?:that )?(?:you|to)|be so kind as to|feel free to|try to"
    r"|remember to|you are (?:welcome|free|allowed) to) "
)
ERASE = (
    r"delete|erase|remove|wipe|purge|scrub|clear|drop|discard|lose|get rid of|reset|clean|destroy"
    r"|throw (?:away|out)|dump|expunge|empty"
)
GERUNDS = (
    r"deleting|erasing|removing|wiping|purging|scrubbing|clearing|dropping|discarding|losing"
    r"|getting rid of"
)
FORGETS = r"forget|unlearn|unremember|unsee|unhear|unread|let go of"
DO = re.compile(
    rf"^(?:(?:{WISH})?{SOFT}(?P<verb>{FORGETS}|{ERASE}|ignore|disregard)"
    rf"|(?:would|do) you mind {SOFT}(?P<ing>forgetting|{GERUNDS})"
    r"|(?:(?:i would (?:be \w+|feel \w+|appreciate it|prefer it|like it|love it)"
    r"|it would be \w+) if"
    r"|i would rather) you (?P<past>forgot|deleted|erased|removed|wiped))(?P<object> .+)$"
)
NOT = (
    rf"(?:(?:{WISH})?(?:(?:let us|do) not(?: you)?|never|stop|quit|no longer|avoid|refrain from)"
    r"|no need to|you (?:do not|did not) (?:need|have) to|you (?:should|must|may|can|need) not"
    r"|you (?:were|are) not (?:supposed|meant|allowed) to"
    r"|i (?:do not|no longer|never) (?:want|need|wanted|like|wish) you to"
    r"|i would (?:rather|(?:prefer|like)(?: it)?(?: that| if)?) you (?:did |do )?not"
    r"|(?:can|could|will|would) you(?: please)? (?:not|stop|never)"
    r"|(?:i would (?:be \w+|feel \w+|appreciate it|prefer it|like it|love it)"
    r"|it would be \w+) if you"
    r" (?:stopped|did not|never|would not|would stop)"
    r"|(?:(?:can|could|will|would) you )?(?:please )?make (?:it so|sure)(?: that)? you (?:do not"
    r"|no longer))"
)
MORE = r"(?:(?:ever|please|again|keep|just|even) )*"
KEEP = re.compile(
    rf"^{NOT} {MORE}(?P<verb>remember(?:ing)?|memori[sz](?:e|ing)|stor(?:e|ing)|sav(?:e|ing)"
    r"|keep(?:ing)?|record(?:ing)?|not(?:e|ing)|log(?:ging)?|retain(?:ing)?|track(?:ing)?"
    r"|hold(?:ing)? on to|keep(?:ing)? in mind|collect(?:ing)?|know(?:ing)?|learn(?:ing)?"
    r"|tak(?:e|ing) notes?|mak(?:e|ing) a note|writ(?:e|ing))(?P<object> .+?)(?: down)?$"
)
RAISE = re.compile(
    rf"^{NOT} {MORE}(?P<verb>mention(?:ing)?|br(?:ing|inging) up|talk(?:ing)?(?: to me)? about"
    r"|talk(?:ing)?(?: to me)? of|refer(?:ring)? to|referenc(?:e|ing)|remind(?:ing)? me (?:of"
    r"|about)"
    r"|rais(?:e|ing)|ask(?:ing)?(?: me)? about|speak(?:ing)?(?: to me)? (?:of|about)"
    r"|discuss(?:ing)?"
    r"|touch(?:ing)? on|br(?:ing|inging)(?= .+ up$))(?P<object> .+?)(?: up)?$"
)
USE = re.compile(
    rf"^{NOT} {MORE}(?:us(?:e|ing)|consider(?:ing)?|rely(?:ing)? on|tak(?:e"
    r"|ing)(?= .+ into account\b)"
    r"|tak(?:e|ing) into account)(?P<object> .+?)(?: into account.*)?$"
)
UNSAID = re.compile(
    r"^(?:let us )?(?:pretend|act|behave)(?: as if| like| as though| that)? (?:i|we"
    r"|you) (?:never|did not|do not"
    r"|had never|had not|have never|have not)(?: ever)? (?:said|say|told|tell|mentioned|mention"
    r"|brought up|bring up|talked about|talk about|shared|share|spoke of"
    r"|knew|know|heard|hear)(?: you)?(?P<object>.*)$"
)
BACK = re.compile(
    r"^i (?:(?:want|would like) to )?(?:take (?:that|it|this) back|(?:take back|withdraw|retract"
    r"|unsay)"
    r" (?P<object>.+))$"
)
AGAIN = re.compile(
    r"^(?:no (?:more |further )?(?:references? to|mentions? (?:of|to)|talk (?:of|about)"
    r"|reminders? of|mentioning"
    r"|talking about)|i (?:never|do not) (?:ever )?want to (?:hear|talk|be reminded|read|speak)"
    r" (?:about|of|from you about))(?P<object> .+)$"
)
OUT = re.compile(
    r"^(?:(?:keep|leave|take|strike|get|put) (?P<object>.+?) (?:out of|off|from|away from)"
    r" (?:(?:your|my|the|this|our) )?(?P<where>memory|memories|profile|records?|notes|it|this"
    r" conversation|conversations?))\b.*$"
)
GONE = re.compile(
    r"^i (?:(?:want|need|would like|would love|prefer|demand"
    r"|would rather)(?: to)?(?: have)?(?P<object>"
    r" .+?) (?:to be )?(?:deleted|erased|forgotten|gone|removed|wiped|cleared|out of)"
    r"|(?:do not|no longer|never) want(?P<kept> .+?) (?:to be )?(?:stored|saved|remembered|kept"
    r"|recorded"
    r"|logged|known|used))(?: .*)?$"
)
DROPPED = r"(?:forgotten|deleted|erased)"
INVERTED = re.compile(
    r"^(?:(?:see to it|make sure|ensure)(?: that)? (?P<sure>.+?) (?:is|are|gets?"
    rf"|will be) {DROPPED}.*"
    r"|(?:about )?(?P<object>(?:what (?:i|you)|everything|anything|all|my|the fact|any|that i"
    r"|whatever)"
    r"\b.+?|.+?(?=: ))(?:"
    r"[,:]? +(?:please )?(?:forget|delete|erase|remove)(?: about)?(?: all of| all)?(?: it| that"
    r"| this)"
    r"|[,:] +(?:please )?(?:forget|delete|erase|remove)"
    rf"| (?:should|must|has to|have to|needs? to|ought to|can|is to) be {DROPPED}.*"
    r"|(?: is| are|'s) (?:not something|nothing|no business|something) you (?:should|must"
    r"|need to|may"
    r"|ought to)(?: not| never)? (?:remember|keep|know|store|forget)"
    r"|(?: is| are|'s) (?:not |none )(?:for|of)(?: your)? (?:memory|business to remember)"
    rf"| (?:deleted|erased)))$"
)
JUST_SAID = re.compile(
    r"^(?:scratch (?:that|this)|strike (?:that|this)|(?:this|that|it|what i(?: just)? said)"
    r" (?:is|was|stays?|should stay|remains?) (?:not (?:for|going to) (?:your|the) (?:memory"
    r"|records?"
    r"|profile)|off the record|between us|not to be (?:remembered|saved|kept|stored|recorded)"
    r"|out of your memory)|you (?:never|did not|have never|have not) (?:heard|hear|seen|see|read)"
    r" (?:that|this|it)(?: from me)?|leave (?:that|this) out of your memory)$"
)
OFF_RECORD = re.compile(r"^(?:off the record|not for your memory|don't remember this)\b")

# --- what is to be forgotten -----------------------------------------------------------------

TOLD = (
    r"told|tell|said|say|mentioned|mention|shared|share|wrote|know|knew|learned|learnt|stored|saved"
    r"|kept|remembered|remember|have|gathered|collected|asked|talked|spoke|discussed|noted|recorded"
)
WHEN = r"(?:(?:have|had|ever|just|already|now|once|previously|earlier|before|to|with|you|me|so) )*"
HEAD = re.compile(
    r"^(?:(?:all|any|every|each|the|that|this|those|these|our|your|my|whole|entire|single|old|of"
    r"|kind|sort|personal|stored|saved|some) )*"
    r"(?:everything|anything|whatever|what|all|stuff|things?|information|info|data|details?|facts?"
    r"|notes?|memory|memories|records?|mentions?|references?|traces?|knowledge|bits?|parts?|story"
    r"|stories|business|matters?|topic|subject|chats?|conversations?|discussions?|talks?|episode"
    r"|affair|preferences?|opinions?|views?|tastes?|entry|entries|file|feelings|thoughts|love"
    r"|hatred|dislike|remarks?|comments?|statements?)"
    rf"(?: (?:that |which )?(?:you|i|we) {WHEN}(?P<told>{TOLD})"
    rf"(?: (?:you|me|to|with|ever|once|earlier|before|today|yesterday|have|down|by me))*)?"
    r"(?: (?:is|was|are|that is|that has))?"
    r" (?:about|on|of|regarding|concerning|to do with|related to|relating to|around|with|for|in)\b"
)
OWN = re.compile(
    r"^(?:(?:the fact )?that (?:i|my)\b|the fact that\b|(?:how|where|who|what|when|why|which"
    r"|whom)\b"
    r"(?=(?: \w+)? (?:i|my)\b)|i (?:ever |once )?(?:told|mentioned|said|talked"
    r"|spoke)(?: to)?(?: you)?"
    r"(?: about| that| of)?(?: i| my)?\b|i\b|my\b|our\b)"
)
SPOKE = re.compile(
    r"^(?:(?:have|had|ever|once|just|already) )*(?:told|mentioned|said|talked|spoke|brought up"
    r"|wrote)"
    r"(?: (?:to )?you)?(?: about| of| that)? (?=\w)"
)
MEMORY = re.compile(
    r" ?\b(?:from|out of|in|off|on|to) (?:(?:your|my|the|our) )?(?:long-term )?(?:memory|memories"
    r"|records?|profile|notes|database|storage|mind|brain|head|what you (?:know|remember|have)"
    r"(?: (?:about|of|on) me)?)\b"
)
REPEATED = re.compile(
    r"\b(?:ever again|any ?more|any longer|no longer|again|from now on|in (?:the )?future|ever)\W*$"
)
ALL = re.compile(
    r"^who i am$|^(?:about |of )?(?:absolutely |literally )?(?:me|myself|(?:everything|all"
    r"|anything|whatever"
    rf"|all of it|it all|the lot)(?: that)?(?: (?:you|i) {WHEN}(?:{TOLD})(?: (?:to|you|me|ever"
    r"|so far|until now))*)?"
    r"(?: (?:about|on|of|with|from) (?:me|myself|us))?"
    r"|(?:(?:all|any|every|of|each|my|your|the|whole|entire|personal|own|private|user|stored|saved)"
    r" )*(?:memory|memories|data|profile|history|information|info|preferences|records|notes"
    r"|traces?)"
    r"(?: (?:you have|you know|stored|kept))?(?: (?:about|of|on) me)?(?: clean)?)$"
)
ABOUT_ME = re.compile(r"\b(?:me|myself|i|my|memory|memories|profile)\b")
LAST = re.compile(
    r"^(?:(?:all |all of |any of |a word of )?(?:that|this)(?: (?:last )?(?:bit|part|one|thing"
    r"|message|remark))?"
    rf"|(?:what|all|everything|anything|the thing|whatever)(?: that)? (?:i|we|you) {WHEN}(?:said"
    r"|learned|learnt|heard|say|told|wrote"
    r"|mentioned|shared|typed|discussed|talked about)(?: (?:above|you|to|just|now|before|here"
    r"|there|right|(?:a|one) (?:second|moment|minute) ago))*"
    r"|(?:that )?i (?:ever |just )?(?:said|mentioned|told|wrote)(?: you)?(?: (?:that|this|it"
    r"|anything"
    r"|so|something))?"
    r"|(?:my|the|that|what was my) (?:last|previous|latest|most recent) (?:\d+ )?(?:message"
    r"|thing|bit"
    r"|part|one|remark|comment|statement|words?|sentence)s?"
    r"(?: (?:that )?i (?:just )?(?:said|told you|wrote|sent))?)$"
)
THAT = re.compile(
    rf"^(?:{WISH})?{SOFT}(?:{FORGETS}|{ERASE})(?: about)? (?:it|that|them|those|him|her"
    r"|all of (?:it|that))"
    r"(?: all)?(?: (?:from|out of) .+)?$|^i (?:want|would like) (?:it|that"
    r"|this) (?:to be )?(?:deleted|erased|gone"
    r"|forgotten|removed)$"
)
NAMES = re.compile(
    r"^(?:(?:.*\b)?(?:told you|tell you|tell you that|telling you|mentioned|said|knowing|sharing"
    r"|shared)(?: about)?"
    r"|you (?:still |have )*(?:have|know|saved|stored|kept|remember|got)(?: about)?"
    r"|(?=my (?:\S+ ?){1,3}$))"
    r"(?P<object> ?.+?)(?: (?:saved|stored|kept|on file|in (?:your )?memory))?$"
)
SAID = re.compile(r"\b(?:said|told|wrote|mentioned|shared|message|thing|remark|statement)\b")
TASKS = _words(
    "paragraph paragraphs sentence sentences line lines word words essay letter email"
    " emails mail draft text poem code function functions comment comments file files folder"
    " document documents table tables column columns row rows list lists item items"
    " duplicates cache server account accounts photo photos picture image background app"
    " post posts tweet message messages cell chapter section footnote title heading bullet"
    " variable variables class branch repository disk password passwords key keys recipe"
    " summary speech report cv resume slides slide script step example examples emoji emojis"
    " jargon link links button page website history browser cookies layer frame timer alarm"
    " recording reminder calendar event appointment"
)
BARRED = _words("instruction instructions prompt prompts rule rules guideline guidelines")
VAGUE = _words(
    "a an the it that this them those these thing things something anything everything"
    " someone stuff all of to in on about for from with at by what you your me my i we us"
    " our yourself and or so now then just ever again not do did is was are be been have had"
    " has will would can could people words names somebody anyone lot much more very too up"
    " out never always one ones"
)
LEADING = _words("a an the this that these those all any every each about of on")
ELSEWHERE = re.compile(r"\b(?:from|in|on|off|out of) (?:the|this|that|these|those|a) (?!last|past)")
SPOKEN = re.compile(r"\b(?:told|said|mentioned|shared|know)\b")
TOLD_ME = re.compile(r"\bi (?:have |ever |just |had )*(?:told|said|mentioned|shared|wrote)\b")
ABOUT_MINE = re.compile(
    r"\b(?:details?|parts?|bits?|story|stories|stuff|things?|information|info|everything|all)"
    r" (?:about|of|on|regarding|related to|concerning) my\b"
)

NOTED = re.compile(
    r"\b(?:memory|memories|notes?|records?|mentions?|traces?|references?|facts?|data|info"
    r"|information"
    r"|preferences?|opinions?)\b(?: \w+){0,3}? (?:about|of|on|for|that)\b"
    r"|\b(?:everything|anything|all) (?:about|on|to do with|regarding) (?:my|me)\b"
    r"|\bmy(?: \w+){1,2} (?:preferences?|opinions?|data|history|memories)\b"
)
TOLD_OF = re.compile(rf"\b(?:i|you|we) {WHEN}(?:{TOLD})\b")
TALKS = _words("'s conversation conversations chat chats talk talks everything all messages")
