import type { FieldView } from '../../api/schema';
import { useSite } from '../../api/hooks';
import { moment } from '../../app/format';
import { useWords } from '../../i18n';
import { Fold, useNames, type Part } from './parts';
import { Told, useValue } from './OpenPart';

/** The form as it was filled in: fields, hazards, measures, what people stated. */
export function FormPart({ file, permit }: Part) {
  const { t, say } = useWords();
  const site = useSite();
  const { name, list } = useNames();
  const marks = new Map(file.measures.map((one) => [one.id, one]));
  const given = file.law.fields.filter((field) => file.fields[field.id] !== undefined);
  return (
    <Fold title={t('form.title')} note={file.law.clause}>
      <dl className="facts rows">
        <Line term={t('permit.supervisor')}>{name(permit.supervisor_id)}</Line>
        <Line term={t('permit.workers')}>{list(permit.workers) || '—'}</Line>
        <Line term={t('permit.guardian')}>{list(file.guardians) || '—'}</Line>
        <Line term={t('book.unit')}>{file.unit}</Line>
        <Line term={t('permit.number')}>{permit.id}</Line>
        {given.map((field) => (
          <Line key={field.id} term={say(field.names)}>
            <Given field={field} values={file.fields[field.id]!} />
          </Line>
        ))}
      </dl>
      {file.hazards.length > 0 && (
        <>
          <h3 className="part-title">{t('analyse.hazards')}</h3>
          <ul className="plain">
            {file.hazards.map((one) => (
              <li key={one.text}>
                <b>{one.text}</b> → {one.control}
              </li>
            ))}
          </ul>
        </>
      )}
      {marks.size > 0 && (
        <>
          <h3 className="part-title">{t('analyse.measures')}</h3>
          <ol className="plain">
            {file.law.measures.map((one) => (
              <li key={one.id}>
                {say(one.names)} <b>{marks.has(one.id) ? t(marks.get(one.id)!.involved ? 'analyse.done' : 'analyse.not_involved') : '—'}</b> {marks.get(one.id)?.note}
              </li>
            ))}
          </ol>
        </>
      )}
      {file.said.length > 0 && (
        <>
          <h3 className="part-title">{t('form.said')}</h3>
          <ul className="plain">
            {file.said.map((one) => (
              <li key={one.fact}>
                <ul>
                  <Told fact={one} />
                </ul>
                <small>
                  {name(one.person_id)} · {moment(one.at_ms, site?.time_zone ?? 'UTC')}
                </small>
              </li>
            ))}
          </ul>
        </>
      )}
    </Fold>
  );
}

function Line({ term, children }: { term: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Given({ field, values }: { field: FieldView; values: unknown[] }) {
  const { t } = useWords();
  return <>{values.map((value, i) => <span key={i}>{i > 0 ? t('list.comma') : ''}<One field={field} value={value} /></span>)}</>;
}

function One({ field, value }: { field: FieldView; value: unknown }) {
  const { t, say } = useWords();
  const site = useSite();
  const { name } = useNames();
  const plain = useValue(value, field.unit);
  if (field.type === 'person') return <>{name(String(value))}</>;
  if (field.type === 'time') return <>{moment(Number(value), site?.time_zone ?? 'UTC')}</>;
  if (field.type === 'choice') return <>{say(field.choices.find((one) => one.id === value)?.names) || plain}</>;
  if (field.type === 'photo' || field.type === 'video') return <>{t('attach.kept')}</>;
  return <>{plain}</>;
}
