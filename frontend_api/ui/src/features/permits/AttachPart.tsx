import { useCallback, useEffect, useState } from 'react';
import { useSite } from '../../api/hooks';
import { get } from '../../api/rest';
import type { AttachmentList } from '../../api/schema';
import { useMay } from '../../api/session';
import { moment } from '../../app/format';
import { useWords } from '../../i18n';
import { Fold, useNames, type Part } from './parts';
import { UploadButton } from './UploadButton';

const MB = 1 << 20;
/** The slot that every permit has besides those of its form. */
const EVIDENCE = 'evidence';

/** Photos, films and papers: what is there, and more of it. */
export function AttachPart({ file, done }: Part) {
  const { t, say } = useWords();
  const may = useMay();
  const site = useSite();
  const { name } = useNames();
  const [list, setList] = useState<AttachmentList | null>(null);
  const load = useCallback(() => {
    void get<AttachmentList>(`/api/v1/permits/${encodeURIComponent(file.id)}/attachments`).then(setList, () => setList(null));
  }, [file.id]);
  useEffect(load, [load]);
  const slots = file.law.fields.filter((one) => one.type === 'photo' || one.type === 'video');
  const named = (slot: string) => say(slots.find((one) => one.id === slot)?.names) || t('attach.evidence');
  const kept = () => {
    load();
    done();
  };
  return (
    <Fold title={t('attach.title')} note={t('attach.count', { count: list?.items.length ?? 0 })}>
      <ul className="plain attachments">
        {list?.items.map((one) => (
          <li key={`${one.slot}${one.sha256}`}>
            {one.standing === 'sound' ? (
              <a className="textlink" href={`/api/v1/attachments/${one.sha256}?permit=${encodeURIComponent(file.id)}`} target="_blank" rel="noreferrer">
                {named(one.slot)}
              </a>
            ) : (
              <b>{named(one.slot)}</b>
            )}{' '}
            <small>
              {moment(one.taken_ms, site?.time_zone ?? 'UTC')} · {name(one.person_id)} · {(one.size / MB).toFixed(1)} MB
              {one.late ? ` · ${t('chain.late')}` : ''}
              {one.standing === 'sound' ? '' : ` · ${t(`standing.${one.standing}`)}`}
            </small>
          </li>
        ))}
      </ul>
      {may('attachment.record') && (
        <div className="stack">
          {slots.map((slot) => (
            <UploadButton key={slot.id} label={say(slot.names)} slot={slot.id} permitId={file.id} kind={slot.type as 'photo' | 'video'} done={kept} />
          ))}
          <UploadButton label={t('attach.evidence')} slot={EVIDENCE} permitId={file.id} kind="evidence" done={kept} />
        </div>
      )}
    </Fold>
  );
}
