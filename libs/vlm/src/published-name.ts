/**
 * The name of a tensor or module in published checkpoints of models that wrap a `language_model`, from that or from its name in memory
 * (`model.language_model...`). Source: transformers conversion_mapping.py.
 */
export function publishedName(name: string): string {
  return name
    .replace(/^model\.language_model\./, 'language_model.model.')
    .replace(/^lm_head\./, 'language_model.lm_head.')
    .replace(/^model\.(vision_tower|multi_modal_projector)\./, '$1.');
}
