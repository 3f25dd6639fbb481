import { IconArrowBackUp, IconArrowUp, IconFilePlus, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { Link as Anchor, useLocation } from 'wouter';
import { useSite } from '../../api/hooks';
import { post, Refusal } from '../../api/rest';
import type { DraftBody, DraftView, ProblemView, RuleBook, RuleCard } from '../../api/schema';
import { moment } from '../../app/format';
import { Refused } from '../../components/Bits';
import { Warned } from '../../components/Unprotected';
import { useWords } from '../../i18n';
import { Backtest } from './Backtest';
import { LifeSafety, Mode, Signer, Standing, useRules } from './parts';
import { Why } from './Why';

/** All armed rules with the versions that they pin, and the drafts on their way. */
export function RulesPage() {
  const { t, say } = useWords();
  const { found: book, problem, again } = useRules<RuleBook>('/api/v1/rulebook');
  const [, go] = useLocation();
  const [busy, setBusy] = useState('');
  const [refused, setRefused] = useState<ProblemView | null>(null);

  const wish = async (body: DraftBody) => {
    setBusy(body.rule);
    setRefused(null);
    try {
      go(`/rules/drafts/${(await post<DraftView>('/api/v1/drafts', body)).id}`);
    } catch (error) {
      if (error instanceof Refusal) setRefused(error.problem);
    } finally {
      setBusy('');
    }
  };

  return (
    <div className="page work">
      <div className="page-head">
        <h2>{t('nav.rules')}</h2>
        {book?.may_draft && (
          <div className="acts" style={{ marginTop: 0 }}>
            <Bring brought={again} refused={setRefused} />
            <button type="button" className="btn primary" onClick={() => go('/rules/new')}>
              <IconPlus size={20} aria-hidden />
              {t('rules.make')}
            </button>
          </div>
        )}
      </div>
      <Refused problem={refused ?? problem} />
      {!book && !problem && <div className="skeleton" style={{ height: 240 }} aria-busy="true" />}
      {book && book.unprotected.length > 0 && (
        <Warned title={t('rules.unprotected')}>
          {book.unprotected.map((one) => (
            <li key={one.en}>{say(one)}</li>
          ))}
        </Warned>
      )}
      {book && book.drafts.length > 0 && (
        <section className="rule-list" aria-label={t('rules.drafts')}>
          <h3>{t('rules.drafts')}</h3>
          {book.drafts.map((draft) => (
            <DraftRow key={draft.id} draft={draft} />
          ))}
        </section>
      )}
      {book && (
        <section className="rule-list" aria-label={t('rules.armed')}>
          <h3>{t('rules.armed_count', { count: book.rules.length })}</h3>
          {book.rules.map((rule) => (
            <Row key={rule.id} rule={rule} may={book.may_draft} busy={busy === rule.id} wish={(body) => void wish(body)} />
          ))}
          {!book.rules.length && <p className="note">{t('rules.none')}</p>}
        </section>
      )}
      {book && book.rules.length > 0 && <Backtest rules={book.rules} />}
    </div>
  );
}

function DraftRow({ draft }: { draft: DraftView }) {
  const { t, say } = useWords();
  const site = useSite();
  const kind = draft.standing === 'failed' || draft.standing === 'rejected' ? 'open' : draft.standing === 'armed' ? '' : 'waits';
  return (
    <article className={`rule ${kind}`}>
      <header>
        <h3>
          <Anchor href={`/rules/drafts/${draft.id}`} className="textlink">
            {t(`rules.kind.${draft.kind}`)} {draft.rule}
          </Anchor>
        </h3>
        <Standing standing={draft.standing} />
        {draft.two && <span className="tag warn">{t('rules.two')}</span>}
      </header>
      <p className="note">
        {say(draft.by)} · {moment(draft.made_ms, site?.time_zone ?? 'UTC')}
        {draft.blueprint && ` · ${draft.blueprint} ${draft.version}`}
      </p>
    </article>
  );
}

function Row(props: { rule: RuleCard; may: boolean; busy: boolean; wish: (body: DraftBody) => void }) {
  const { t, say } = useWords();
  const site = useSite();
  const [, go] = useLocation();
  const { rule, may, busy, wish } = props;
  const apart = rule.places.filter((place) => place.mode !== rule.mode);
  const open = rule.places.some((place) => !place.protected);
  return (
    <article className={`rule ${open ? 'open' : rule.mode}`} aria-label={rule.id}>
      <header>
        <h3>{say(rule.names)}</h3>
        <Mode mode={rule.mode} />
        {rule.life_safety && <LifeSafety />}
        <Signer signer={rule.signer} />
      </header>
      <dl className="facts rows">
        <Fact name={t('rules.id')}>
          <code>{rule.id}</code>
        </Fact>
        {rule.blueprint && (
          <Fact name={t('rules.pin')}>
            {rule.blueprint} <b>{rule.version}</b> <code>#{rule.hash.slice(0, 12)}</code>
          </Fact>
        )}
        <Fact name={t('rules.zones')}>{rule.places.map((place) => say(place.names)).join(t('list.comma')) || '—'}</Fact>
        <Fact name={t('rules.fired')}>
          {rule.last_fired_ms ? moment(rule.last_fired_ms, site?.time_zone ?? 'UTC') : t('rules.never')}
          {rule.open_runs > 0 && ` · ${t('rules.runs', { count: rule.open_runs })}`}
        </Fact>
      </dl>
      {apart.length > 0 && (
        <ul className="places">
          {apart.map((place) => (
            <li key={place.zone_id} className={place.protected ? 'tag warn' : 'tag bad'}>
              {say(place.names)}: {t(`rules.mode.${place.mode}`)}
              {!place.protected && ` · ${t('rules.not_protected')}`}
            </li>
          ))}
        </ul>
      )}
      <details>
        <summary>{t('rules.does')}</summary>
        <ul className="diff">
          {rule.does.map((line, number) => (
            <li key={number}>
              <b />
              <span>{say(line)}</span>
            </li>
          ))}
        </ul>
      </details>
      {rule.mode !== 'off' && <Why rule={rule.id} />}
      {may && (
        <div className="acts">
          {rule.newer && (
            <button type="button" className="btn primary" disabled={busy} onClick={() => (rule.own ? go(`/rules/${rule.id}/upgrade`) : wish({ kind: 'upgrade', rule: rule.id }))}>
              <IconArrowUp size={20} aria-hidden />
              {t('rules.upgrade', { version: rule.newer })}
            </button>
          )}
          {rule.earlier && (
            <button type="button" className="btn" disabled={busy} onClick={() => wish({ kind: 'rollback', rule: rule.id })}>
              <IconArrowBackUp size={20} aria-hidden />
              {t('rules.rollback', { version: rule.earlier })}
            </button>
          )}
          {rule.own && (
            <>
              {!rule.newer && (
                <button type="button" className="btn" onClick={() => go(`/rules/${rule.id}/change`)}>
                  <IconPencil size={20} aria-hidden />
                  {t('rules.change')}
                </button>
              )}
              <button type="button" className="btn warn" disabled={busy} onClick={() => wish({ kind: 'remove', rule: rule.id })}>
                <IconTrash size={20} aria-hidden />
                {t('rules.remove')}
              </button>
            </>
          )}
        </div>
      )}
    </article>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Bring a blueprint's file into the hub, with its signature where there is one. */
function Bring({ brought, refused }: { brought: () => void; refused: (problem: ProblemView | null) => void }) {
  const { t } = useWords();
  const box = useRef<HTMLInputElement>(null);
  const take = async (files: File[]) => {
    const file = files.find((one) => /\.ya?ml$/.test(one.name));
    if (!file) return;
    const beside = files.find((one) => one.name.endsWith('.sig'));
    refused(null);
    try {
      await post('/api/v1/blueprints', { text: await file.text(), signature: beside ? await beside.text() : '' });
      brought();
    } catch (error) {
      if (error instanceof Refusal) refused(error.problem);
    }
  };
  return (
    <>
      <input
        ref={box}
        type="file"
        accept=".yaml,.yml,.sig"
        multiple
        hidden
        aria-label={t('rules.bring')}
        onChange={(event) => {
          void take(Array.from(event.currentTarget.files ?? []));
          event.currentTarget.value = '';
        }}
      />
      <button type="button" className="btn" onClick={() => box.current?.click()}>
        <IconFilePlus size={20} aria-hidden />
        {t('rules.bring')}
      </button>
    </>
  );
}
