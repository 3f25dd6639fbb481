import { IconContrast, IconMoon, IconSun } from '@tabler/icons-react';
import { useState } from 'react';
import { look, LOOKS, setLook, type Look } from '../app/theme';
import { setLanguage, useWords } from '../i18n';

const ICONS = { light: IconSun, dark: IconMoon, contrast: IconContrast };

export function LanguageSwitch() {
  const { t, language } = useWords();
  return (
    <div className="switch" role="group" aria-label={t('switch.language')}>
      <button type="button" lang="zh-CN" aria-pressed={language === 'zh'} onClick={() => void setLanguage('zh')}>
        中文
      </button>
      <button type="button" lang="en" aria-pressed={language === 'en'} onClick={() => void setLanguage('en')}>
        EN
      </button>
    </div>
  );
}

export function LookSwitch({ className = '', words = false }: { className?: string; words?: boolean }) {
  const { t } = useWords();
  const [now, set] = useState<Look>(look());
  const choose = (next: Look) => {
    setLook(next);
    set(next);
  };
  return (
    <div className={`switch ${className}`} role="group" aria-label={t('switch.look')}>
      {LOOKS.map((one) => {
        const Icon = ICONS[one];
        return (
          <button
            key={one}
            type="button"
            aria-pressed={one === now}
            aria-label={t(`look.${one}`)}
            title={t(`look.${one}`)}
            onClick={() => choose(one)}
          >
            <Icon size={18} stroke={1.8} aria-hidden />
            {words && <span>{t(`look.${one}`)}</span>}
          </button>
        );
      })}
    </div>
  );
}
