import { IconHelp } from '@tabler/icons-react';
import { useSection, useSite } from '../../api/hooks';
import type { RiskView } from '../../api/schema';
import { useWords } from '../../i18n';

/** Every zone's risk now, worst first, and what makes it so. */
export function Risk() {
  const { t } = useWords();
  const risks = Object.values(useSection('risks')).sort((a, b) => b.index - a.index);
  return (
    <>
      <p className="note">{t('risk.note')}</p>
      <div className="cards">
        {risks.map((one) => (
          <Zone key={one.id} risk={one} />
        ))}
      </div>
    </>
  );
}

function Zone({ risk }: { risk: RiskView }) {
  const { t, say } = useWords();
  const zone = useSite()?.zones.find((one) => one.id === risk.id);
  return (
    <section className={`card risk ${risk.band}`} data-risk={risk.id}>
      <header>
        <h3>{say(zone?.names) || risk.id}</h3>
        <span className="extra band">{t(`risk.band.${risk.band}`)}</span>
      </header>
      <p className="risk-index">
        <strong>{risk.index}</strong>
        <span>{t('risk.of')}</span>
        {risk.unknown && (
          <span className="unknown">
            <IconHelp size={18} aria-hidden />
            {t('risk.unknown')}
          </span>
        )}
      </p>
      <ul className="risk-inputs">
        {risk.inputs.filter((one) => one.points > 0 || one.unknown).map((one, number) => (
          <li key={`${one.name}${number}`} className={one.unknown ? 'unknown' : ''}>
            <span>{say(one.text)}</span>
            <b>+{one.points}</b>
            <i style={{ width: `${one.points}%` }} aria-hidden />
          </li>
        ))}
      </ul>
    </section>
  );
}
