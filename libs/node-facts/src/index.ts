export { NodeFactsModule } from './node-facts.module.js';
export { type Extradata, type FactsOfNode, NodeFacts } from './node-facts.service.js';
