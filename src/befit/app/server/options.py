"""What a deployment may choose about the server. Plain values; reads no file and no variable."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Options of `befit.app.server.main.create_app`.

    Attributes:
        model: Name under which the embedded model is listed; "" lists what the upstream lists.
        deadline_ms: Longest wait for memory, > 0; past it the generic prompt goes out.
        max_body_bytes: Largest request body, > 0.
        openwebui_secret: Secret of Open WebUI's signed user header. With it, the plain headers of
            ``user_headers`` are no longer believed.
        user_headers: Headers, in lower case, in which a trusted front end names its user.
        learn_stated: Whether a preference that a person states in a chat turn is remembered.
        threads: Threads for memory, and as many for slow work, >= 1.
    """

    model: str = ""
    deadline_ms: float = 50.0
    max_body_bytes: int = 2_000_000
    openwebui_secret: str = field(default="", repr=False)
    user_headers: tuple[str, ...] = ("x-openwebui-user-id",)
    learn_stated: bool = True
    threads: int = 8
