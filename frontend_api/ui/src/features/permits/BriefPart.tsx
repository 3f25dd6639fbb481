import { IconCheck, IconEar } from '@tabler/icons-react';
import { useMay } from '../../api/session';
import { useWords } from '../../i18n';
import { ActButton, Fold, useNames, type Part } from './parts';

/** Tell everybody hazards, measures and ways out; each says so with the own key. */
export function BriefPart({ file, permit, done }: Part) {
  const { t } = useWords();
  const may = useMay();
  const { name, list } = useNames();
  const people = [...new Set([...permit.workers, permit.guardian_id, ...file.guardians].filter(Boolean))];
  const untold = people.filter((one) => !file.told.includes(one));
  const can = may('permit.brief') && ['analysed', 'approved', 'briefed', 'active', 'held', 'verifying'].includes(file.status);
  return (
    <Fold title={t('brief.title')} note={t('brief.count', { given: file.briefed.length, all: people.length })} open={file.missing_briefing.length > 0 && file.status !== 'applied'}>
      <ul className="people-list">
        {people.map((one) => {
          const state = file.briefed.includes(one) ? 'taken' : file.told.includes(one) ? 'told' : 'none';
          return (
            <li key={one} className={state}>
              {state === 'taken' ? <IconCheck size={22} aria-hidden /> : <IconEar size={22} aria-hidden />}
              <b>{name(one)}</b>
              <span>{t(`brief.${state}`)}</span>
            </li>
          );
        })}
      </ul>
      {can && untold.length > 0 && (
        <ActButton verb="permit.brief" body={{ permit_id: file.id, people: untold }} version={file.version} done={done} className="primary">
          {t('brief.do', { people: list(untold) })}
        </ActButton>
      )}
    </Fold>
  );
}
