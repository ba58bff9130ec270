"""What made people are asked about: everyday questions, and answers in sixty-four styles each.

An answer says the same in every style, so that only style can be preferred. Draws nothing.
"""

from dataclasses import dataclass

STYLES = ("long", "formal", "warm", "hedged", "example", "list")
Style = tuple[bool, bool, bool, bool, bool, bool]  # one for each of STYLES


@dataclass(frozen=True, slots=True)
class Topic:
    """A question and the pieces of its answer.

    Attributes:
        question: What is asked.
        steps: Three things to do, each in the imperative, without a capital or a full stop.
        reason: Why, as a clause.
        example: What it looks like, as a clause.
    """

    question: str
    steps: tuple[str, str, str]
    reason: str
    example: str


def render(topic: Topic, style: Style) -> str:
    """The answer to a question in a style."""
    chosen = dict(zip(STYLES, style, strict=True))
    first, second, third = topic.steps
    formal, sentences = chosen["formal"], []
    if chosen["warm"]:
        sentences.append(
            "Thank you for raising this; I am confident that you will succeed."
            if formal
            else "Lovely question, you've totally got this!"
        )
    sentences.append(_opening(first, formal=formal, hedged=chosen["hedged"]))
    sentences.append(f"Furthermore, one should {second}." if formal else f"Then {second}, ok?")
    if chosen["example"]:
        sentences.append(
            f"For instance, {topic.example}." if formal else f"Like, {topic.example}, for example."
        )
    if chosen["long"]:
        sentences += (
            [
                f"In addition, it is recommended to {third}.",
                f"The underlying reason is that {topic.reason}.",
                "These measures complement one another and are best taken in the order given.",
            ]
            if formal
            else [
                f"Oh, and don't forget to {third}.",
                f"That's 'cause {topic.reason}, you know.",
                "Do all of it, one thing after the other, and you're pretty much done.",
            ]
        )
    if chosen["list"]:
        return "\n".join(f"- {sentence}" for sentence in sentences)
    return " ".join(sentences)


def _opening(step: str, *, formal: bool, hedged: bool) -> str:
    """The main advice, as sure of itself as the style."""
    if formal and hedged:
        return f"It may perhaps be advisable to {step}, although circumstances differ."
    if formal:
        return f"It is essential to {step}."
    if hedged:
        return f"Hm, maybe {step}? Kinda hard to say for sure."
    return f"Just {step}, no doubt about it!"


TOPICS = (
    Topic(
        "How do I keep herbs alive on a windowsill?",
        ("water them only when the soil feels dry", "turn the pots every week", "cut the tips off"),
        "roots that stand in water get no air",
        "basil that droops at noon often only wants shade",
    ),
    Topic(
        "How can I fall asleep earlier?",
        ("dim the lights an hour before", "get up at a fixed time", "leave the phone outside"),
        "the body sets its clock by light",
        "a friend of mine reads on paper from ten o'clock on",
    ),
    Topic(
        "What should I do before a long bicycle tour?",
        ("ride half the distance first", "check the brakes", "pack two spare tubes"),
        "small faults grow over a hundred kilometres",
        "a saddle that is fine for an hour can hurt after four",
    ),
    Topic(
        "How do I learn the names of a new team?",
        ("repeat each name when you hear it", "draw the seats on paper", "greet people by name"),
        "a name sticks when it is used at once",
        "one note such as green scarf next to a name works well",
    ),
    Topic(
        "How can I make my soup less salty?",
        (
            "add more water and vegetables",
            "season again at the very end",
            "serve plain rice with it",
        ),
        "salt cannot be taken out, only thinned",
        "a cup of unsalted beans takes the edge off a whole pot",
    ),
    Topic(
        "How should I prepare for a job interview?",
        ("rehearse three stories aloud", "read what the firm makes", "prepare two questions"),
        "stories are easier to remember than virtues",
        "the week the server failed tells more than saying you are calm",
    ),
    Topic(
        "How do I store photographs safely?",
        ("keep copies in two places", "name folders by date", "open a few old ones each year"),
        "every disk fails at some time",
        "one copy at home and one at my sister's survived a flood",
    ),
    Topic(
        "How can I start running without getting hurt?",
        ("run slowly enough to talk", "rest a day in between", "raise the distance bit by bit"),
        "tendons grow stronger more slowly than lungs",
        "four minutes of running and one of walking is a fine start",
    ),
    Topic(
        "How do I remove a coffee stain from a shirt?",
        ("rinse it with cold water at once", "dab it with soap", "wash it before it dries"),
        "heat fixes the colour in the cloth",
        "a stain of five minutes mostly goes out under the tap",
    ),
    Topic(
        "How can I save money on groceries?",
        ("write a list for the week", "eat before you go shopping", "compare the price by weight"),
        "most of the waste is bought without a plan",
        "a bag of lentils replaces three tins for the same money",
    ),
    Topic(
        "How do I give a short speech at a wedding?",
        ("tell one story about the pair", "stop after three minutes", "practise with a watch"),
        "guests remember a scene rather than praise",
        "the night they missed the last train says it all",
    ),
    Topic(
        "How should I introduce a new cat to the old one?",
        ("keep them in separate rooms first", "swap their blankets", "feed both near the door"),
        "cats know each other by smell",
        "two weeks behind a closed door spared us every fight",
    ),
    Topic(
        "How do I fix a door that squeaks?",
        ("oil the hinge pins", "move the door back and forth", "tighten the screws"),
        "dry metal rubs on metal",
        "a drop of sewing oil kept ours silent for years",
    ),
    Topic(
        "How can I write a clearer e-mail?",
        ("put the request in the first line", "keep to one subject", "cut every second adjective"),
        "many people read only the beginning",
        "please sign by Friday is better than a page of history",
    ),
    Topic(
        "What helps against cold feet in winter?",
        ("wear wool instead of cotton", "move your toes", "put a rug under the desk"),
        "damp cloth carries the warmth away",
        "thick soles do more than a second pair of socks",
    ),
    Topic(
        "How do I choose a telescope for a beginner?",
        ("try a pair of binoculars first", "buy a steady mount", "ask at a local club"),
        "a shaking picture shows nothing at all",
        "the moons of Jupiter are already seen in good binoculars",
    ),
    Topic(
        "How can I keep a houseguest comfortable?",
        ("show them where things are", "leave them a key", "ask about breakfast the night before"),
        "nobody likes to ask for every towel",
        "a note with the name of the network saves ten questions",
    ),
    Topic(
        "How do I practise the guitar when I have little time?",
        ("play ten minutes every day", "repeat one hard bar", "leave the guitar on a stand"),
        "hands learn by many short visits",
        "one change of chords a week makes fifty in a year",
    ),
    Topic(
        "How should I plan a garden bed?",
        ("watch the sun for a day", "put tall plants in the back", "leave room for them to grow"),
        "a plant in the wrong light never thrives",
        "tomatoes along the south wall ripened a month before the others",
    ),
    Topic(
        "How do I calm down before an exam?",
        ("breathe out slowly ten times", "begin with an easy task", "arrive a little early"),
        "a long breath out slows the heart",
        "walking once around the building works for many people",
    ),
    Topic(
        "How can I make a small room look larger?",
        ("hang a mirror across from the window", "use pale curtains", "clear the floor"),
        "the eye measures a room by its light",
        "a sofa on legs seems to take half the space",
    ),
    Topic(
        "How do I bake bread with a good crust?",
        ("heat the pot in the oven first", "bake it covered for half the time", "let it cool down"),
        "steam keeps the skin soft until it has risen",
        "an old iron pot does as well as a baker's oven",
    ),
    Topic(
        "How do I get better at chess?",
        ("solve a few puzzles daily", "look at your lost games", "play slower games"),
        "most games are decided by something overlooked",
        "counting every check and capture before a move helps at once",
    ),
    Topic(
        "How can I get a child to like reading?",
        ("read aloud every evening", "let the child pick the book", "stop at an exciting place"),
        "joy is caught from other people",
        "comics about space turned my nephew into a reader",
    ),
)
