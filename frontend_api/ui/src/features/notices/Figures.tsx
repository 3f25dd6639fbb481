import { useEffect, useState } from 'react';
import { get } from '../../api/rest';
import type { ChannelStats, StatsList } from '../../api/schema';
import { Card } from '../../components/Bits';
import { useWords } from '../../i18n';
import { channelName } from './State';

/** How well each channel reaches people, from what the journal tells. */
export function Figures() {
  const { t } = useWords();
  const [items, setItems] = useState<ChannelStats[]>([]);
  useEffect(() => void get<StatsList>('/api/v1/notice-stats').then((list) => setItems(list.items), () => undefined), []);
  if (!items.length) return null;
  const time = (seconds: number | null | undefined) => (seconds == null ? '–' : t('figures.seconds', { seconds }));
  return (
    <Card title={t('figures.title')} className="wide-card">
      <div className="told-table" tabIndex={0} role="region" aria-label={t('figures.title')}>
        <table>
          <thead>
            <tr>
              {['channel', 'queued', 'sent', 'delivered', 'seen', 'acknowledged', 'failed', 'sent_s', 'answered_s'].map((key) => (
                <th key={key} scope="col">
                  {t(`figures.${key}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.channel}>
                <th scope="row">{channelName(one.channel, t)}</th>
                <td>{one.queued}</td>
                <td>{one.sent}</td>
                <td>{one.delivered}</td>
                <td>{one.seen}</td>
                <td>{one.acknowledged}</td>
                <td title={Object.entries(one.why ?? {}).map(([why, count]) => `${t(`told.why.${why}`, { defaultValue: why })} ${count}`).join(t('list.comma'))}>{one.failed}</td>
                <td>{time(one.sent_s)}</td>
                <td>{time(one.answered_s)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
