/** Special tokens of SmolVLM's format, in the order of their ids. */
const LEADING = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
const TRAILING = ['<global-img>', '<fake_token_around_image>', '<image>', '<end_of_utterance>'];

/** The tokenizer of the starter models as Hugging Face files, with the ids that config.json names. */
export interface StarterTokenizer {
  readonly files: Readonly<Record<string, object>>;
  readonly vocabulary: number;
  readonly image: number;
  readonly end: number;
  readonly pad: number;
}

/**
 * Byte-level tokens, plus whole words. A word of the list is one token; any other text falls apart into
 * characters, which is how the models spell what they read. There are no merges.
 */
export function starterTokenizer(words: readonly string[]): StarterTokenizer {
  const bytes = byteAlphabet();
  const whole = [...new Set(words.flatMap((word) => [word, ` ${word}`]))].map((word) => word.replace(/^ /, 'Ġ'));
  const plain = [...LEADING, ...bytes, ...whole.filter((word) => [...word].length > 1)];
  const vocab = Object.fromEntries(plain.map((token, id) => [token, id]));
  const special = [...LEADING, ...TRAILING].map((content) => ({
    id: vocab[content] ?? plain.length + TRAILING.indexOf(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const idOf = (content: string): number => special.find((t) => t.content === content)!.id;
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    vocabulary: plain.length + TRAILING.length,
    image: idOf('<image>'),
    end: idOf('<end_of_utterance>'),
    pad: idOf('<|im_end|>'),
    files: {
      'tokenizer.json': {
        version: '1.0',
        truncation: null,
        padding: null,
        added_tokens: special,
        normalizer: null,
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel],
        },
        post_processor: null,
        decoder: byteLevel,
        model: {
          type: 'BPE',
          dropout: null,
          unk_token: null,
          continuing_subword_prefix: null,
          end_of_word_suffix: null,
          fuse_unk: false,
          byte_fallback: false,
          ignore_merges: true,
          vocab,
          merges: [],
        },
      },
      'tokenizer_config.json': {
        tokenizer_class: 'GPT2Tokenizer',
        processor_class: 'SmolVLMProcessor',
        add_prefix_space: false,
        clean_up_tokenization_spaces: false,
        model_max_length: 1024,
        bos_token: '<|im_start|>',
        eos_token: '<end_of_utterance>',
        pad_token: '<|im_end|>',
        unk_token: '<|endoftext|>',
        additional_special_tokens: ['<fake_token_around_image>', '<image>', '<end_of_utterance>'],
        added_tokens_decoder: Object.fromEntries(special.map(({ id, ...token }) => [id, token])),
      },
      'special_tokens_map.json': {
        bos_token: '<|im_start|>',
        eos_token: '<end_of_utterance>',
        pad_token: '<|im_end|>',
        unk_token: '<|endoftext|>',
        additional_special_tokens: ['<fake_token_around_image>', '<image>', '<end_of_utterance>'],
      },
    },
  };
}

/** GPT-2's printable stand-ins for the 256 bytes, in the order of its vocabulary. */
function byteAlphabet(): string[] {
  const printable = [...range(33, 126), ...range(161, 172), ...range(174, 255)];
  const others = range(0, 255).filter((byte) => !printable.includes(byte));
  return [...printable.map((byte) => byte), ...others.map((_, i) => 256 + i)].map((code) => String.fromCharCode(code));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
