import { IconClipboardPlus, IconClipboardOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useSection } from '../../api/hooks';
import { useMay } from '../../api/session';
import { Empty } from '../../components/Bits';
import { PermitCard } from '../../components/PermitCard';
import { useWords } from '../../i18n';
import { IssueDialog } from './IssueDialog';

const RANK = ['held', 'verifying', 'expired', 'active', 'closed'];

export function PermitsPage() {
  const { t } = useWords();
  const may = useMay();
  const [issuing, setIssuing] = useState(false);
  const permits = Object.values(useSection('permits')).sort(
    (a, b) => RANK.indexOf(a.status) - RANK.indexOf(b.status) || b.issued_ms - a.issued_ms,
  );
  return (
    <div className="page">
      <div className="page-head">
        <h2>{t('nav.permits')}</h2>
        {may('permit.issue') && (
          <button type="button" className="btn primary" onClick={() => setIssuing(true)}>
            <IconClipboardPlus size={20} aria-hidden />
            {t('permit.issue')}
          </button>
        )}
      </div>
      <div className="cards">
        {permits.map((permit) => (
          <PermitCard key={permit.id} permit={permit} />
        ))}
        {!permits.length && (
          <Empty icon={<IconClipboardOff size={32} aria-hidden />}>{t('permits.none')}</Empty>
        )}
      </div>
      <IssueDialog open={issuing} close={() => setIssuing(false)} />
    </div>
  );
}
