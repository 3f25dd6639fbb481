import './rules.css';

export { DraftPage } from './DraftPage';
export { MakePage } from './MakePage';
export { RulesPage } from './RulesPage';
