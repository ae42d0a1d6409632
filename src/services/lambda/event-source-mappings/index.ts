export { eventSourceMapping } from './cloudformation.ts';
export { mappingArn } from './describe.ts';
export { createMappings, type Mappings } from './manager.ts';
export {
  createEventSourceMapping,
  deleteEventSourceMapping,
  getEventSourceMapping,
  listEventSourceMappings,
  updateEventSourceMapping,
} from './operations.ts';
export { changeMappingTags, mappingTags } from './tags.ts';
export { settleMapping, TRANSITION } from './transitions.ts';
