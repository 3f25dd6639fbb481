import { useCallback, useEffect, useState } from 'react';
import { get } from '../../api/rest';
import type { ContactList } from '../../api/schema';
import { useWords } from '../../i18n';
import { Channels } from './Channels';
import { Figures } from './Figures';
import { Groups } from './Groups';
import { Mine } from './Mine';
import { Quiet } from './Quiet';
import './notices.css';

/** How I am told: what I was told, my channels, my quiet hours, tests, figures. */
export function NoticesPage() {
  const { t } = useWords();
  const [list, setList] = useState<ContactList | null>(null);
  const load = useCallback(
    () => get<ContactList>('/api/v1/my/channels').then(setList, () => undefined),
    [],
  );
  useEffect(() => void load(), [load]);
  return (
    <div className="page">
      <div className="page-head">
        <h2>{t('told.title')}</h2>
      </div>
      <div className="cards">
        <Mine />
        {list && <Channels list={list} changed={() => void load()} />}
        {list && <Quiet list={list} changed={() => void load()} />}
        {list && <Groups list={list} changed={() => void load()} />}
        <Figures />
      </div>
    </div>
  );
}
