"""Draft → check → review: another person looks before a bundle is armed (§5)."""

from core.api.errors import Refused
from core.api.reading import Value
from core.config import Bundle, Rule
from core.hub import CORE
from core.journal.envelope import Cause
from core.kernel import Kernel
from core.processes.acts import (
    ApproveConfig,
    RejectConfig,
    ShowConfig,
    SubmitConfig,
)
from core.processes.events import (
    ConfigApproved,
    ConfigRejected,
    ConfigSubmitted,
    RuleUpgraded,
)
from core.processes.state import HubState, Review


class Reviews:
    """Carry out the acts on submitted bundles; say who has agreed to one."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._hub = kernel, kernel.hub
        access = kernel.access
        access.bind(ShowConfig, self._show)
        access.bind(SubmitConfig, self._submit)
        access.bind(ApproveConfig, self._approve)
        access.bind(RejectConfig, self._reject)
        self._hub.undo(ConfigApproved, self._take_back)

    @property
    def state(self) -> HubState:
        """Return the fold's part."""
        return self._hub.state.hub

    def signing(self) -> bool:
        """Say whether anybody can sign: before that, one person sets the hub up."""
        return bool(self._hub.state.people.keys.keys)

    def agreed(self, digest: str, by: str) -> str:
        """Return the other person who signed for a bundle; '' when nobody did.

        Refuses what was approved against another bundle than the one in force:
        then nobody has seen what would change.
        """
        review = self.state.reviews.get(digest)
        if review is None or not review.approved_by:
            return ""
        if review.base != self.state.config_hash:
            raise Refused("config.base_moved", hash=digest[:12])
        if not (review.signed and review.approved_signed):
            return ""
        other = review.approved_by
        return f"person:{other if f'person:{other}' != by else review.by}"

    def require(self, digest: str) -> None:
        """Refuse a bundle that nobody else has looked at (R25)."""
        review = self.state.reviews.get(digest)
        if review is None or not review.approved_by:
            raise Refused("config.review_needed", hash=digest[:12])

    # --- acts -----------------------------------------------------------------

    def show(self, rule: str) -> dict[str, Value]:
        """Return the bundle in force, and where a rule's version before stands."""
        shown: dict[str, Value] = {"hash": self.state.config_hash}
        earlier = self.state.earlier.get(rule)
        if earlier is not None:
            shown |= {"earlier": earlier.bundle, "earlier_hash": earlier.hash}
        return shown

    def _show(
        self, _actor: str, act: ShowConfig, _version: int | None, _cause: Cause
    ) -> dict[str, Value]:
        return self.show(act.rule)

    def _submit(
        self, actor: str, act: SubmitConfig, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        if act.base != self.state.config_hash:
            raise Refused("config.base_moved", hash=act.hash[:12])
        self._hub.emit(
            ConfigSubmitted(hash=act.hash, base=act.base, by=actor, note=act.note),
            cause,
        )
        return {"hash": act.hash}

    def _approve(
        self, actor: str, act: ApproveConfig, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        review = self._review(act.hash)
        if review.by == actor:
            raise Refused("config.own_review", person=actor)
        if review.rejected_by:
            raise Refused("config.rejected", person=review.rejected_by)
        if review.base != self.state.config_hash:
            raise Refused("config.base_moved", hash=act.hash[:12])
        self._hub.emit(ConfigApproved(hash=act.hash, by=actor, note=act.note), cause)
        return {"hash": act.hash}

    def _reject(
        self, actor: str, act: RejectConfig, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        review = self._review(act.hash)
        if review.by != actor:
            self._kernel.access.require(actor, "safety_officer")
        self._hub.emit(ConfigRejected(hash=act.hash, by=actor, note=act.note), cause)
        return {"hash": act.hash}

    def _review(self, digest: str) -> Review:
        review = self.state.reviews.get(digest)
        if review is None:
            raise Refused("config.not_submitted", hash=digest[:12])
        return review

    def _take_back(self, body: ConfigApproved) -> None:
        no = ConfigRejected(hash=body.hash, by="hub:core", code="not_durable")
        self._hub.emit(no, CORE)

    # --- other versions ---------------------------------------------------------

    def tell_upgrades(self, old: Bundle, was: str, cause: Cause) -> None:
        """Write down which instances run another version of their blueprint now."""
        before = {rule.id: rule for rule in old.rules}
        for rule in self._hub.bundle.rules:
            other = before.get(rule.id)
            if other is not None and _moved(other, rule):
                known = self.state.earlier.get(rule.id)
                self._hub.emit(
                    RuleUpgraded(
                        rule=rule.id,
                        blueprint=rule.blueprint,
                        version=rule.version,
                        hash=rule.blueprint_hash,
                        was_version=other.version,
                        was_hash=other.blueprint_hash,
                        was_bundle=was,
                        back=known is not None and known.hash == rule.blueprint_hash,
                    ),
                    cause,
                )


def _moved(old: Rule, new: Rule) -> bool:
    same = old.blueprint == new.blueprint
    return same and old.blueprint_hash != new.blueprint_hash


def rule_changes(old: Bundle, new: Bundle) -> bool:
    """Say whether a bundle arms other rules than another one."""
    return {r.id: r for r in old.rules} != {r.id: r for r in new.rules}


def to_arm(bundle: Bundle) -> dict[str, str]:
    """Return the rules that a bundle arms somewhere, with their hashes."""
    return {
        rule.id: rule.hash
        for rule in bundle.rules
        if {rule.mode, *rule.zone_modes.values()} != {"off"}
    }
