"""Which service speaks for an agent's model."""

from sessions.agent import scripts, showing
from sessions.agent.protocol import LLMServiceProtocol
from sessions.agent.scripted import Scripted
from sessions.core import references
from sessions.core.errors import LLMError
from sessions.models import Agent
from sessions.selectors import providers

showing.install()


def service_for(agent: Agent) -> LLMServiceProtocol:
    """
    The language model of an agent; reads rows, and does not ask the provider yet.

    :raises LLMError: if its provider is not there, or has no key
    :raises SecretUnreadable: if the key was sealed with another secret key
    :raises ValidationFailed: for a reference that is none, or an unknown script
    """
    return service(agent.model)


def service(text: str) -> LLMServiceProtocol:
    """The language model that a reference names; see :func:`service_for`."""
    is_default = text == references.DEFAULT
    reference = providers.default() if is_default else references.read(text)
    if reference.provider == references.SCRIPTED:
        return Scripted(reference.model, scripts.find(reference.model))
    found = providers.access(reference.provider)
    raise LLMError("Only scripted models can be asked.", provider=found.provider)
