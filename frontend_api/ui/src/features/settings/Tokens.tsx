import { TextInput } from '@mantine/core';
import { useCallback, useEffect, useState } from 'react';
import { get, post, Refusal, remove } from '../../api/rest';
import type { ProblemView, TokenList, TokenReply, TokenView } from '../../api/schema';
import { Card, Refused } from '../../components/Bits';
import { useWords } from '../../i18n';

/** Long-lived tokens for machines: read only from here; wider scopes by the API. */
export function Tokens() {
  const { t } = useWords();
  const [tokens, setTokens] = useState<TokenView[]>([]);
  const [fresh, setFresh] = useState('');
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const load = useCallback(
    () => get<TokenList>('/api/v1/tokens').then((list) => setTokens(list.items), () => undefined),
    [],
  );
  useEffect(() => void load(), [load]);
  const attempt = (work: Promise<unknown>) =>
    work.then(load, (error: unknown) => {
      if (error instanceof Refusal) setProblem(error.problem);
    });
  const make = () =>
    post<TokenReply>('/api/v1/tokens', { name: name.trim(), scopes: ['read'] }).then((made) => {
      setFresh(made.secret);
      setName('');
    });
  return (
    <Card title={t('tokens.title')} note={t('tokens.note')} className="wide-card">
      {fresh && (
        <p className="secret" role="status">
          {t('tokens.once')}
          <code>{fresh}</code>
        </p>
      )}
      <form
        className="inline"
        onSubmit={(event) => {
          event.preventDefault();
          void attempt(make());
        }}
      >
        <TextInput label={t('tokens.name')} value={name} maxLength={60} onChange={(event) => setName(event.currentTarget.value)} />
        <button type="submit" className="btn" disabled={!name.trim()}>
          {t('tokens.make')}
        </button>
      </form>
      <Refused problem={problem} />
      <ul className="devices">
        {tokens.map((token) => (
          <li key={token.id}>
            <div>
              <b>{token.name}</b>
              <span>{token.scopes.join(', ')}</span>
            </div>
            <button type="button" className="btn warn" onClick={() => void attempt(remove(`/api/v1/tokens/${token.id}`))}>
              {t('tokens.revoke')}
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
