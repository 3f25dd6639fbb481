import { IconBell, IconClipboardCheck, IconEyeOff, IconUsers } from '@tabler/icons-react';
import { Link as Anchor } from 'wouter';
import { useAlarms, useSection, useSite } from '../../api/hooks';
import { AlarmBanner } from '../../components/AlarmBanner';
import { Card } from '../../components/Bits';
import { GasCard } from '../../components/GasCard';
import { MusterCard } from '../../components/MusterCard';
import { PermitStatus } from '../../components/PermitCard';
import { SitePlan } from '../../components/SitePlan';
import { Timeline } from '../../components/Timeline';
import { Unprotected } from '../../components/Unprotected';
import { useWords } from '../../i18n';

export function LivePage() {
  const running = Object.values(useSection('evacuations')).filter((one) => !one.cleared_ms);
  return (
    <>
      <AlarmBanner />
      <Unprotected />
      <div className="live">
        <div className="live-main">
          <Figures />
          <SitePlan />
          <Timeline />
        </div>
        <div className="live-side">
          {running.map((one) => (
            <MusterCard key={one.id} evacuation={one} />
          ))}
          <GasCard />
          <PermitList />
        </div>
      </div>
    </>
  );
}

function Figures() {
  const { t } = useWords();
  const people = Object.values(useSection('people'));
  const permits = Object.values(useSection('permits')).filter((one) => one.status !== 'closed');
  const alarms = Object.values(useAlarms());
  const zones = Object.values(useSection('zones'));
  const found = people.filter((one) => one.zone_id !== null).length;
  const held = permits.filter((one) => one.holds.length).length;
  const open = alarms.filter((one) => !one.acknowledged).length;
  const unmonitored = zones.filter((one) => one.states.includes('unmonitored')).length;
  return (
    <div className="figures">
      <Figure icon={<IconUsers size={16} aria-hidden />} name={t('figure.people')} value={found}
        note={t('figure.people_note', { count: people.length - found })} />
      <Figure icon={<IconClipboardCheck size={16} aria-hidden />} name={t('figure.permits')} value={permits.length - held}
        note={t('figure.permits_note', { count: held })} tone={held ? 'major' : ''} />
      <Figure icon={<IconBell size={16} aria-hidden />} name={t('figure.alarms')} value={open}
        note={t('figure.alarms_note', { count: alarms.length })} tone={open ? 'critical' : ''} />
      <Figure icon={<IconEyeOff size={16} aria-hidden />} name={t('figure.unmonitored')} value={unmonitored}
        note={t('figure.unmonitored_note', { count: zones.length })} tone={unmonitored ? 'grey' : ''} />
    </div>
  );
}

function Figure(props: { icon: React.ReactNode; name: string; value: number; note: string; tone?: string }) {
  return (
    <div className={`card figure ${props.tone ?? ''}`}>
      <strong>{props.value}</strong>
      <span>
        {props.icon}
        {props.name}
      </span>
      <small>{props.note}</small>
    </div>
  );
}

const RANK = ['held', 'verifying', 'expired', 'active', 'closed'];

function PermitList() {
  const { t, say } = useWords();
  const site = useSite();
  const permits = Object.values(useSection('permits'))
    .filter((one) => one.status !== 'closed')
    .sort((a, b) => RANK.indexOf(a.status) - RANK.indexOf(b.status));
  return (
    <Card title={t('permits.title')} note={t('permits.count', { count: permits.length })} extra={<Anchor href="/permits" className="textlink">{t('permits.open')}</Anchor>}>
      <ul className="permitlist">
        {permits.slice(0, 6).map((permit) => (
          <li key={permit.id}>
            <div>
              <b>{permit.title}</b>
              <span>
                {say(permit.kind_names)} · {say(site?.zones.find((one) => one.id === permit.zone_id)?.names)}
                {permit.holds[0] && ` · ${say(permit.holds[0].text)}`}
              </span>
            </div>
            <PermitStatus status={permit.status} />
          </li>
        ))}
        {!permits.length && <li className="none">{t('permits.none')}</li>}
      </ul>
    </Card>
  );
}
