import { useState } from 'react';
import { useSection } from '../../api/hooks';
import { useWords } from '../../i18n';
import { Cases } from './Cases';
import { Figures } from './Figures';
import { Now } from './Now';
import { Risk } from './Risk';
import './alarms.css';

const VIEWS = ['now', 'risk', 'cases', 'figures'] as const;
type View = (typeof VIEWS)[number];

/** What calls now, how risky each zone is, what was like it, and how the system does. */
export function AlarmsPage() {
  const { t } = useWords();
  const [view, setView] = useState<View>('now');
  const waiting = useSection('alarming').now?.unjudged.length ?? 0;
  return (
    <div className="page">
      <div className="page-head">
        <h2>{t('nav.alarms')}</h2>
        <div className="choice" role="group" aria-label={t('alarms.views')}>
          {VIEWS.map((one) => (
            <button key={one} type="button" className="btn" aria-pressed={view === one} onClick={() => setView(one)}>
              {t(`alarms.view.${one}`)}
              {one === 'now' && waiting > 0 && <span className="count">{waiting}</span>}
            </button>
          ))}
        </div>
      </div>
      {view === 'now' && <Now />}
      {view === 'risk' && <Risk />}
      {view === 'cases' && <Cases />}
      {view === 'figures' && <Figures />}
    </div>
  );
}
