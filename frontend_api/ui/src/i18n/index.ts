import i18next from 'i18next';
import { useEffect, useState } from 'react';
import { initReactI18next, useTranslation } from 'react-i18next';
import type { Text } from '../api/schema';
import zh from './zh.json';

export type Language = 'zh' | 'en';
const KEY = 'safehold.language';

function remembered(): Language | null {
  const kept = localStorage.getItem(KEY);
  return kept === 'zh' || kept === 'en' ? kept : null;
}

export async function setLanguage(language: Language, keep = true): Promise<void> {
  await loaded(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  if (keep) localStorage.setItem(KEY, language);
}

/** Words in both languages at once, for those who come with one we do not know. */
export function useBoth() {
  const [, ready] = useState(i18next.hasResourceBundle('en', 'translation'));
  useEffect(() => {
    void loaded('en').then(() => ready(true));
  }, []);
  return { zh: i18next.getFixedT('zh'), en: i18next.getFixedT('en') };
}

async function loaded(language: Language): Promise<void> {
  if (language === 'en' && !i18next.hasResourceBundle('en', 'translation')) {
    const { default: en } = await import('./en.json');
    i18next.addResourceBundle('en', 'translation', en);
  }
}

export async function startLanguage(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'zh',
    fallbackLng: 'zh',
    resources: { zh: { translation: zh } },
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
  });
  await setLanguage(remembered() ?? 'zh', false);
}

/** The site's language counts until this person chose one here. */
export function suggestLanguage(language: string): void {
  if (!remembered() && (language === 'zh' || language === 'en')) void setLanguage(language, false);
}

export function useWords() {
  const { t, i18n } = useTranslation();
  const language = (i18n.language === 'en' ? 'en' : 'zh') as Language;
  /** Pick this language of a sentence that the hub rendered. */
  const say = (text: Text | undefined | null): string => text?.[language] ?? '';
  return { t, say, language };
}
