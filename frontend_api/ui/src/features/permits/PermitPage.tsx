import { IconArrowLeft } from '@tabler/icons-react';
import { Link as Anchor } from 'wouter';
import { useBeat, useSection, useSite } from '../../api/hooks';
import { useMay, useSession } from '../../api/session';
import { store } from '../../api/store';
import { moment, span } from '../../app/format';
import { Refused } from '../../components/Bits';
import { PermitCard, PermitStatus } from '../../components/PermitCard';
import { useWords } from '../../i18n';
import { AnalyseForm } from './AnalyseForm';
import { ApplyForm } from './ApplyForm';
import { AttachPart } from './AttachPart';
import { BriefPart } from './BriefPart';
import { ChainPart } from './ChainPart';
import { ConflictPart } from './ConflictPart';
import { EndPart, StopPart } from './EndPart';
import { EntryPart } from './EntryPart';
import { FormPart } from './FormPart';
import { ForOthers } from './ForOthers';
import { GasPart } from './GasPart';
import { GuardPart } from './GuardPart';
import { Holds } from './Holds';
import { IsolationPart } from './IsolationPart';
import { NextPart } from './NextPart';
import { OpenPart } from './OpenPart';
import { useFile, useZone, type Part } from './parts';

const OVER = ['closed', 'rejected'];

/** One permit: what is due and by whom, what stands against it, and its whole file. */
export function PermitPage({ id }: { id: string }) {
  const { t } = useWords();
  const permit = useSection('permits')[id];
  const { file, problem, reload } = useFile(id);
  return (
    <div className="page work">
      <div className="page-head">
        <Anchor href="/permits" className="btn">
          <IconArrowLeft size={20} aria-hidden />
          {t('nav.permits')}
        </Anchor>
      </div>
      {permit && !permit.legal && <PermitCard permit={permit} />}
      {permit?.legal && file && <Whole file={file} permit={permit} done={reload} />}
      {!permit && <p className="lead">{t('permit.gone')}</p>}
      {permit?.legal && !file && !problem && <div className="skeleton" style={{ height: 240 }} aria-busy="true" />}
      {permit?.legal && <Refused problem={problem} />}
    </div>
  );
}

function Whole(part: Part) {
  const { file, permit } = part;
  const session = useSession();
  const may = useMay();
  const lead = permit.supervisor_id === session.person_id || session.roles.includes('owner');
  const over = OVER.includes(file.status);
  return (
    <>
      <Head {...part} />
      <StopPart {...part} />
      {permit.holds.length > 0 && <Holds {...part} />}
      <NextPart {...part} />
      {file.status === 'booked' && lead && may('permit.apply') && <ApplyForm {...part} />}
      {file.status === 'applied' && lead && may('permit.analyse') && <AnalyseForm {...part} />}
      {!over && <OpenPart {...part} />}
      {!over && file.law.entry_log && <EntryPart {...part} />}
      {file.law.gases.length > 0 && file.status !== 'booked' && <GasPart {...part} />}
      {!over && file.status !== 'booked' && <BriefPart {...part} />}
      {!over && file.status !== 'booked' && <IsolationPart {...part} />}
      {!over && file.status !== 'booked' && <GuardPart {...part} />}
      {!over && file.status !== 'booked' && <ForOthers {...part} />}
      <ChainPart {...part} />
      <FormPart {...part} />
      {!over && file.status !== 'booked' && <ConflictPart {...part} />}
      <AttachPart {...part} />
      {!over && <EndPart {...part} />}
    </>
  );
}

function Head({ file, permit }: Part) {
  const { t, say } = useWords();
  const site = useSite();
  const zone = useZone(permit.zone_id);
  useBeat(10_000);
  const left = permit.valid_until_ms - store.now();
  const at = (ms: number) => moment(ms, site?.time_zone ?? 'UTC');
  return (
    <header className={`work-head ${file.status}`}>
      <div className="work-title">
        <h2>{permit.title}</h2>
        <p>
          {say(file.law.names)} · {zone}
        </p>
      </div>
      <PermitStatus status={file.status} />
      <dl className="work-time">
        <div>
          <dt>{t('permit.until')}</dt>
          <dd>
            {at(permit.valid_until_ms)} <small>{left > 0 ? t('permit.left_for', { span: span(left, t) }) : t('permit.over')}</small>
          </dd>
        </div>
        {!file.started_ms && (
          <div>
            <dt>{t('permit.from')}</dt>
            <dd>{at(file.from_ms)}</dd>
          </div>
        )}
      </dl>
      {file.late && <p className="late">{t('permit.late')}</p>}
      {file.reason && <p>{t('permit.because', { reason: file.reason })}</p>}
      {file.replaced_by && (
        <Anchor className="textlink" href={`/permits/${file.replaced_by}`}>
          {t('permit.replaced')}
        </Anchor>
      )}
      {file.replaces && (
        <Anchor className="textlink" href={`/permits/${file.replaces}`}>
          {t('permit.replaces')}
        </Anchor>
      )}
    </header>
  );
}
