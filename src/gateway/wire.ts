import { loadModel, serviceIndex } from '../models/index.ts';
import { createCodec, createRestRouter, isStreamingInput, validate, validationMessage } from '../protocol/index.ts';
import type { Wire } from './services.ts';

/** The models and codecs of this build. */
export const modelWire: Wire = { serviceIndex, loadModel, createCodec, createRestRouter, isStreamingInput, validate, validationMessage };
