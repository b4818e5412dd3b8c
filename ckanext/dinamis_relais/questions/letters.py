"""Who is written to when a thread moves: the side that did not write."""

from __future__ import annotations

from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import Role, holders
from ckanext.dinamis_relais.gateway import mailer
from ckanext.dinamis_relais.questions.about import address
from ckanext.dinamis_relais.questions.model import Question, QuestionMessage

#: message → who receives it: ``person`` (who asked) or ``super_referent``.
RECIPIENTS: dict[str, tuple[str, ...]] = {
    "question_message": ("super_referent",),
    "question_answered": ("person",),
    "question_escalated": ("person",),
    "question_closed": ("person",),
}


def _name(user: model.User) -> str:
    return user.fullname or user.name


def asker(question: Question) -> model.User | None:
    """Who asked, as long as their login is active."""
    user = model.User.get(question.user_id) if question.user_id else None
    return user if user is not None and user.state == "active" else None


def _people(question: Question, who: str) -> list[tuple[str, str]]:
    """(address, name) of those whom a word of the table means; PIGMA's contact address where nobody holds the role."""
    if who == "person":
        person = asker(question)
        return [(person.email, _name(person))] if person is not None and person.email else []
    found = [(user.email, _name(user)) for user in holders(Role.SUPER_REFERENT) if user.email]
    return found or ([(config.contact_email(), config.relay_name())] if config.contact_email() else [])


def send(name: str, question: Question, message: QuestionMessage | None, files: int = 0) -> None:
    """Write a message to each of its recipients, once per address, in the present transaction.

    :param name: a key of :data:`RECIPIENTS`
    :param message: the one that was added to the thread, if any
    :param files: how many files came with it
    """
    person = asker(question)
    organization = model.Group.get(question.organization_id) if question.organization_id else None
    values = {
        "title": question.title,
        "text": message.body if message else "",
        "files": files,
        "first": message is not None and message.position == 1,
        "by_dinamis": message is not None and message.side == "dinamis",
        "person": _name(person) if person else "",
        "organization": organization.title if organization else "",
        "about_title": question.about_title or "",
        "about_url": address(question.about_path) or "",
        "page": f"{config.site_url()}/dinamis/questions/{question.id}",
    }
    written: set[str] = set()
    for who in RECIPIENTS[name]:
        for recipient, recipient_name in _people(question, who):
            if recipient.lower() not in written:
                written.add(recipient.lower())
                thing = ("question", question.id, question.organization_id)
                mailer.write(name, recipient, recipient_name, thing, values)
