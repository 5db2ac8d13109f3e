/**
 * The name that a tensor or module has in published checkpoints of models that wrap a `language_model`, from that, from its name in
 * memory (`model.language_model...`), or from one in between. Source: transformers conversion_mapping.py.
 */
export function publishedName(name: string): string {
  return name
    .replace(/^model\.(?=(language_model|vision_tower|multi_modal_projector)\.)/, '')
    .replace(/^language_model\.(?!(model|lm_head)\.)/, 'language_model.model.')
    .replace(/^lm_head\./, 'language_model.lm_head.');
}
