using System.Text.Json.Nodes;

namespace Cairn.Frameworks.Onnx.Decoders;

/// <summary>
/// A byte-level tokenizer as <c>tokenizer.json</c> has them: token b is byte b, then four special tokens, then, for a larger vocabulary,
/// merges of printable ASCII. Bytes are written as letters by GPT-2's table (Radford et al. 2019, encoder.py).
/// </summary>
internal static class ByteTokenizer
{
    internal const int Begin = 256;
    internal const int End = 257;
    internal const int User = 258;
    internal const int Assistant = 259;

    /// <summary>256 bytes and the special tokens.</summary>
    internal const int SmallestVocabulary = 260;

    private static readonly string[] Special = ["<|bos|>", "<|end|>", "<|user|>", "<|assistant|>"];

    internal static string ChatTemplate { get; } =
        "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

    internal static JsonObject Json(int vocabulary)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabulary, SmallestVocabulary);
        var tokens = new JsonObject();
        for (var value = 0; value < 256; value++)
            tokens[Letter(value).ToString()] = value;
        var merges = new JsonArray();
        foreach (var (left, right) in Merges().Take(vocabulary - SmallestVocabulary))
        {
            tokens[left + right] = SmallestVocabulary + merges.Count;
            merges.Add($"{left} {right}");
        }
        if (merges.Count < vocabulary - SmallestVocabulary)
            throw new ArgumentOutOfRangeException(
                nameof(vocabulary), vocabulary, "more tokens than pairs and triples of printable letters");
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. Special.Select((content, index) => (JsonNode)AddedToken(content, Begin + index))]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = null,
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false, ["byte_fallback"] = false, ["ignore_merges"] = false, ["vocab"] = tokens, ["merges"] = merges,
            },
        };
    }

    internal static JsonObject ConfigJson(int context) => new()
    {
        ["bos_token"] = Special[0], ["eos_token"] = Special[1], ["pad_token"] = Special[1], ["add_bos_token"] = false,
        ["clean_up_tokenization_spaces"] = false, ["model_max_length"] = context, ["tokenizer_class"] = "PreTrainedTokenizerFast",
    };

    private static JsonObject ByteLevel() =>
        new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true };

    private static JsonObject AddedToken(string content, int id) => new()
    {
        ["id"] = id, ["content"] = content, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false,
        ["special"] = true,
    };

    /// <summary>Printable bytes stand for themselves; the others, in order, for the letters from U+0100 on.</summary>
    private static char Letter(int value) =>
        Printable(value) ? (char)value : (char)(256 + Enumerable.Range(0, value).Count(lower => !Printable(lower)));

    private static bool Printable(int value) => value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);

    /// <summary>Pairs of printable ASCII, then each pair with a third.</summary>
    private static IEnumerable<(string Left, string Right)> Merges()
    {
        string[] letters =
        [
            .. Enumerable.Range(33, 94).OrderBy(value => char.IsAsciiLetterLower((char)value) ? 0 : 1)
                .Select(value => ((char)value).ToString()),
        ];
        var pairs = letters.SelectMany(left => letters.Select(right => (Left: left, Right: right))).ToList();
        return pairs.Concat(pairs.SelectMany(pair => letters.Select(third => (pair.Left + pair.Right, third))));
    }
}
