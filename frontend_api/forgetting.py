"""What the gateway itself holds of a person goes when their data are erased."""

from collections.abc import Iterable

from core.channels.services import secret_name
from core.registry.secrets import Secrets
from frontend_api.accounts import Accounts


class Forgetting:
    """Forget an erased person's login, PIN, sessions, tokens and addresses."""

    def __init__(self, accounts: Accounts, secrets: Secrets) -> None:
        self._accounts, self._secrets = accounts, secrets

    def person(self, person_id: str, others: Iterable[str]) -> bool:
        """Forget one person; says whether anything was left. Raises OSError.

        ``others``: everybody else, as a dot in an id must not reach another's
        addresses.
        """
        mine = secret_name(person_id, "")
        nested = tuple(
            secret_name(each, "") for each in others if each.startswith(f"{person_id}.")
        )
        names = [
            name
            for name in self._secrets.names(mine)
            if not (nested and name.startswith(nested))
        ]
        if names:
            self._secrets.drop(names)
        return self._accounts.remove(person_id) or bool(names)
