using System.Text;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Tokenizing;
using Cairn.Frameworks.Tokenizing.Splitting;

namespace Cairn.Frameworks.Tests.Tokenizing;

/// <summary>Writes tokenizers' files, and reads them as the engine would.</summary>
internal static partial class MadeTokenizer
{
    public const string Gpt4Words =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public static Tokenizer Load(JsonNode tokenizer, JsonNode? config = null) => Load(tokenizer.ToJsonString(), config?.ToJsonString());

    public static Tokenizer Load(string tokenizer, string? config = null)
    {
        var folder = Directory.CreateTempSubdirectory("cairn-tokenizer-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "tokenizer.json"), tokenizer);
            if (config is not null) File.WriteAllText(Path.Combine(folder.FullName, "tokenizer_config.json"), config);
            return Tokenizer.Load(folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>
    /// 256 byte tokens, merges learnt from <see cref="Training.Text"/>, and the special tokens <c>&lt;s&gt;</c>, <c>&lt;/s&gt;</c> and
    /// <c>&lt;|end|&gt;</c>.
    /// </summary>
    public static JsonObject ByteLevel(int merges = 400, bool pairs = false)
    {
        var vocabulary = new JsonObject();
        for (var value = 0; value < 256; value++) vocabulary[ByteCharacters.Of((byte)value).ToString()] = value;
        var learnt = new JsonArray();
        var words = Training.Text.Split(' ').Select((word, i) => Bytes(i == 0 ? word : " " + word)).ToList();
        foreach (var (left, right) in Training.Merges(words, merges))
        {
            if (!vocabulary.ContainsKey(left + right)) vocabulary[left + right] = vocabulary.Count;
            learnt.Add(pairs ? new JsonArray(left, right) : JsonValue.Create($"{left} {right}"));
        }
        var next = vocabulary.Count;
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray(Added(next, "<s>"), Added(next + 1, "</s>"), Added(next + 2, "<|end|>"),
                Added(next + 3, "<tool>", special: false)),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true,
                ["use_regex"] = true },
            ["post_processor"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = false,
                ["use_regex"] = true },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true,
                ["use_regex"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["continuing_subword_prefix"] = null,
                    ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false, ["byte_fallback"] = false, ["ignore_merges"] = false, ["vocab"] = vocabulary, ["merges"] = learnt,
            },
        };
    }

    public static JsonObject Added(int id, string content, bool special = true, bool normalized = false, bool singleWord = false,
        bool left = false, bool right = false) =>
        new()
        {
            ["id"] = id, ["content"] = content, ["single_word"] = singleWord, ["lstrip"] = left, ["rstrip"] = right,
                ["normalized"] = normalized,
            ["special"] = special,
        };

    /// <summary>
    /// The Llama 3 arrangement: a Split by its own pattern, then ByteLevel without one; a template that adds <c>&lt;s&gt;</c>.
    /// </summary>
    public static JsonObject Llama3Like()
    {
        var made = ByteLevel(pairs: true);
        var begin = made["added_tokens"]![0]!["id"]!.GetValue<int>();
        made["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(
                new JsonObject
                {
                    ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = Gpt4Words }, ["behavior"] = "Isolated",
                        ["invert"] = false,
                },
                new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false }),
        };
        made["post_processor"] = Template(("<s>", begin), null);
        made["model"]!["ignore_merges"] = true;
        return made;
    }

    public static JsonObject Template((string Name, int Id) begin, (string Name, int Id)? end)
    {
        var specials = new JsonObject { [begin.Name] = Special(begin) };
        if (end is { } given) specials[given.Name] = Special(given);
        var single = new JsonArray(Named(begin.Name, 0), Sequence("A", 0));
        var pair = new JsonArray(Named(begin.Name, 0), Sequence("A", 0));
        if (end is { } one)
        {
            single.Add(Named(one.Name, 0));
            pair.Add(Named(one.Name, 0));
        }
        pair.Add(Sequence("B", 1));
        if (end is { } other) pair.Add(Named(other.Name, 1));
        return new JsonObject { ["type"] = "TemplateProcessing", ["single"] = single, ["pair"] = pair, ["special_tokens"] = specials };

        static JsonObject Named(string name, int type) => new() { ["SpecialToken"] = new JsonObject { ["id"] = name, ["type_id"] = type } };
        static JsonObject Sequence(string name, int type) => new() { ["Sequence"] = new JsonObject { ["id"] = name, ["type_id"] = type } };
        static JsonObject Special((string Name, int Id) token) =>
            new() { ["id"] = token.Name, ["ids"] = new JsonArray(token.Id), ["tokens"] = new JsonArray(token.Name) };
    }

    private static JsonObject Model(string type, JsonNode vocabulary, params (string, JsonNode?)[] others)
    {
        var model = new JsonObject { ["type"] = type };
        foreach (var (name, value) in others) model[name] = value;
        model["vocab"] = vocabulary;
        return model;
    }

    private static JsonObject Whole(JsonObject model, JsonNode? normalizer, JsonNode? splitter, JsonNode? template, JsonNode? decoder,
        params JsonObject[] added) => new()
    {
        ["version"] = "1.0", ["added_tokens"] = new JsonArray([.. added]), ["normalizer"] = normalizer, ["pre_tokenizer"] = splitter,
            ["post_processor"] = template,
        ["decoder"] = decoder, ["model"] = model,
    };

    /// <summary>Characters, byte tokens and merges over ▁, as Llama 2 and Gemma have them.</summary>
    public static JsonObject Llama2Like(bool metaspace = false)
    {
        var vocabulary = new JsonObject { ["<unk>"] = 0, ["<s>"] = 1, ["</s>"] = 2 };
        for (var value = 0; value < 256; value++) vocabulary[$"<0x{value:X2}>"] = vocabulary.Count;
        var words = Training.Text.Split(' ').Select(word => ("▁" + word).EnumerateRunes().Where(rune => rune.Value < 0x3000).Select(rune =>
            rune.ToString()).ToList()).ToList();
        var merges = Training.Merges(words, 300);
        foreach (var symbol in words.SelectMany(word => word).Concat(merges.Select(merge => merge.Left + merge.Right)))
        {
            if (!vocabulary.ContainsKey(symbol)) vocabulary[symbol] = vocabulary.Count;
        }
        foreach (var (left, right) in new[] { ("▁", "▁"), ("▁▁", "▁▁") })
        {
            merges.Add((left, right));
            vocabulary[left + right] = vocabulary.Count;
        }
        var model = Model("BPE", vocabulary, ("unk_token", "<unk>"), ("fuse_unk", true), ("byte_fallback", true),
            ("merges", new JsonArray([.. merges.Select(merge => JsonValue.Create($"{merge.Left} {merge.Right}"))])));
        var decoder = Sequence("decoders", Replace("▁", " "), Typed("ByteFallback"), Typed("Fuse"),
            new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 });
        return Whole(model,
            metaspace ? null : Sequence("normalizers", new JsonObject { ["type"] = "Prepend", ["prepend"] = "▁" }, Replace(" ", "▁")),
            metaspace ? Metaspace("first", split: false) : null, Template(("<s>", 1), null), decoder,
            Added(0, "<unk>"), Added(1, "<s>"), Added(2, "</s>"));
    }

    /// <summary>SentencePiece's Unigram as T5 and XLM-R have it.</summary>
    public static JsonObject UnigramLike(bool byteFallback = false)
    {
        var tokens = new List<(string, double)> { ("<unk>", 0), ("<s>", 0), ("</s>", 0) };
        if (byteFallback) tokens.AddRange(Enumerable.Range(0, 256).Select(value => ($"<0x{value:X2}>", -20.0)));
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var word in Training.Text.Split(' ', '\n').Select(word => "▁" + word))
        {
            var runes = word.EnumerateRunes().Select(rune => rune.ToString()).ToArray();
            for (var from = 0; from < runes.Length; from++)
            {
                for (var to = from + 1; to <= Math.Min(runes.Length, from + 6); to++)
                {
                    var piece = string.Concat(runes[from..to]);
                    counts[piece] = counts.GetValueOrDefault(piece) + 1;
                }
            }
        }
        // Scores that are all different, so that there is one best path.
        var rank = 0;
        tokens.AddRange(counts.Where(count => count.Value > 1 || count.Key.EnumerateRunes().Count() == 1 && count.Key[0] < 0x3000)
            .OrderByDescending(count => count.Value * count.Key.Length).ThenBy(count => count.Key, StringComparer.Ordinal)
            .Select(count => (count.Key, -2 - Math.Log(1 + 0.37 * rank++))));
        var vocabulary = new JsonArray([.. tokens.Select(token => new JsonArray(token.Item1, token.Item2))]);
        return Whole(Model("Unigram", vocabulary, ("unk_id", 0), ("byte_fallback", byteFallback)),
            Sequence("normalizers", Typed("NFKC"), ReplaceRegex(" {2,}", " ")),
            Metaspace("always", split: true), Template(("<s>", 1), ("</s>", 2)), byteFallback
                ? Sequence("decoders", Typed("ByteFallback"), Metaspace("always", true)) : Metaspace("always", true),
            Added(0, "<unk>"), Added(1, "<s>"), Added(2, "</s>"));
    }

    public static JsonObject BertLike(bool lowercase = true)
    {
        var vocabulary = new JsonObject();
        foreach (var special in new[] { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" }) vocabulary[special] = vocabulary.Count;
        foreach (var word in Training.Text.Split(' ', '\n').Select(word => lowercase ? word.ToLowerInvariant() : word))
        {
            var letters = word.EnumerateRunes().Select(rune => rune.ToString()).ToArray();
            foreach (var piece in letters.Concat(letters.Select(letter => "##" + letter))
                .Concat(letters.Length > 3 ? [string.Concat(letters[..3]), "##" + string.Concat(letters[3..])] : [word]))
            {
                if (piece.Length > 0 && !vocabulary.ContainsKey(piece)) vocabulary[piece] = vocabulary.Count;
            }
        }
        var normalizer = new JsonObject
        {
            ["type"] = "BertNormalizer", ["clean_text"] = true, ["handle_chinese_chars"] = true, ["strip_accents"] = null,
                ["lowercase"] = lowercase,
        };
        return Whole(Model("WordPiece", vocabulary, ("unk_token", "[UNK]"), ("continuing_subword_prefix", "##"),
            ("max_input_chars_per_word", 100)), normalizer,
            Typed("BertPreTokenizer"), Template(("[CLS]", 2), ("[SEP]", 3)),
                new JsonObject { ["type"] = "WordPiece", ["prefix"] = "##", ["cleanup"] = true },
            [.. Enumerable.Range(0, 5).Select(id => Added(id, vocabulary.ElementAt(id).Key))]);
    }

    public static JsonObject Typed(string type) => new() { ["type"] = type };

    public static JsonObject Sequence(string name, params JsonObject[] parts) =>
        new() { ["type"] = "Sequence", [name] = new JsonArray([.. parts]) };

    public static JsonObject Replace(string what, string by) =>
        new() { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = what }, ["content"] = by };

    public static JsonObject ReplaceRegex(string what, string by) =>
        new() { ["type"] = "Replace", ["pattern"] = new JsonObject { ["Regex"] = what }, ["content"] = by };

    public static JsonObject Metaspace(string scheme, bool split) =>
        new() { ["type"] = "Metaspace", ["replacement"] = "▁", ["prepend_scheme"] = scheme, ["split"] = split };

    private static List<string> Bytes(string word) =>
        [.. Encoding.UTF8.GetBytes(word).Select(value => ByteCharacters.Of(value).ToString())];
}
