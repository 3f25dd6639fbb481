import { useSection, useSite } from '../../api/hooks';
import { useSession } from '../../api/session';
import { moment } from '../../app/format';
import { Card, Mark } from '../../components/Bits';
import { useWords } from '../../i18n';
import { State } from './State';

const SHOWN = 8;

/** What I was told, and how far each channel came. */
export function Mine() {
  const { t, say } = useWords();
  const me = useSession().person_id;
  const site = useSite();
  const mine = Object.values(useSection('notices'))
    .filter((one) => one.person_id === me)
    .sort((a, b) => b.queued_ms - a.queued_ms)
    .slice(0, SHOWN);
  return (
    <Card title={t('told.mine')} className="wide-card">
      {!mine.length && <p className="note">{t('told.none')}</p>}
      <ul className="devices">
        {mine.map((one) => (
          <li key={one.id}>
            <div>
              <b>
                {say(one.text)} <Mark mark={one.mark} />
              </b>
              <span>{moment(one.queued_ms, site?.time_zone ?? 'UTC')}</span>
              <p className="told-states">
                {Object.entries(one.channels).map(([channel, state]) => (
                  <State key={channel} channel={channel} state={state} detail={one.details[channel]} />
                ))}
              </p>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}
