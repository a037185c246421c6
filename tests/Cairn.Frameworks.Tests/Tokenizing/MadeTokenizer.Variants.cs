using System.Text.Json.Nodes;

namespace Cairn.Frameworks.Tests.Tokenizing;

internal static partial class MadeTokenizer
{
    private const string O200kWords =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        + @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        + @"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string DeepSeekWords =
        @"[!-/:-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>One part after another of what published tokenizers are put together from.</summary>
    public static JsonObject Variant(string kind) => kind switch
    {
        "o200k" => Splitting(Split(O200kWords, "Isolated"), Bytes()),
        "deepseek" => Splitting(Split(@"\p{N}{1,3}", "Isolated"), Split("[一-龥぀-ゟ゠-ヿ]+", "Isolated"), Split(DeepSeekWords, "Isolated"),
            Bytes()),
        "clip" => Splitting(
            Split(@"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", "Removed", invert: true),
                Bytes()),
        "whitespace" => Splitting(Typed("Whitespace"), Bytes()),
        "words" => Splitting(Split(@"\b\w+\b|(?<=\d)(?=(?:\d{3})+\b)|(?<!\w)\W++", "Isolated"), Typed("WhitespaceSplit"), Bytes()),
        "digits" => Splitting(new JsonObject { ["type"] = "Digits", ["individual_digits"] = true }, Punctuation("Contiguous"), Bytes()),
        "split-removed" => Splitting(Split(@"\s+|\p{Han}", "Removed"), Bytes()),
        "split-previous" => Splitting(Split(@"[\s\p{P}]", "MergedWithPrevious"), Bytes()),
        "split-next" => Splitting(Split(@"[\s\p{P}]", "MergedWithNext"), Bytes()),
        "split-contiguous" => Splitting(Split(@"[\s[:punct:]&&[^a-z]]", "Contiguous", invert: true), Bytes()),
        "nfc" => Normalized(Typed("NFC")),
        "roberta" => Roberta(),
        "flags" => Flags(ByteLevel()),
        "flags-metaspace" => Flags(Llama2Like(metaspace: true)),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such variant"),
    };

    public static JsonObject Splitting(params JsonObject[] parts)
    {
        var made = ByteLevel();
        made["pre_tokenizer"] = Sequence("pretokenizers", parts);
        return made;
    }

    public static JsonObject Split(string pattern, string behavior, bool invert = false) => new()
    {
        ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = behavior, ["invert"] = invert,
    };

    public static JsonObject Bytes(bool regex = false) =>
        new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = regex };

    private static JsonObject Punctuation(string behavior) => new() { ["type"] = "Punctuation", ["behavior"] = behavior };

    private static JsonObject Normalized(params JsonObject[] parts)
    {
        var made = ByteLevel();
        made["normalizer"] = Sequence("normalizers", parts);
        return made;
    }

    private static JsonObject Roberta()
    {
        var made = Normalized(Typed("NFKD"), Typed("StripAccents"), Typed("Lowercase"),
            new JsonObject { ["type"] = "Strip", ["strip_left"] = true, ["strip_right"] = true });
        made["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true,
            ["use_regex"] = true };
        made["post_processor"] = new JsonObject
        {
            ["type"] = "RobertaProcessing", ["sep"] = new JsonArray("</s>", made["added_tokens"]![1]!["id"]!.GetValue<int>()),
            ["cls"] = new JsonArray("<s>", made["added_tokens"]![0]!["id"]!.GetValue<int>()), ["trim_offsets"] = true,
                ["add_prefix_space"] = false,
        };
        return made;
    }

    /// <summary>Added tokens with every flag.</summary>
    private static JsonObject Flags(JsonObject made)
    {
        var next = made["added_tokens"]!.AsArray().Max(token => token!["id"]!.GetValue<int>()) + 1;
        next = Math.Max(next, made["model"]!["vocab"]!.AsObject().Count);
        made["normalizer"] = Sequence("normalizers", Typed("NFKC"), Typed("Lowercase"));
        var added = made["added_tokens"]!.AsArray();
        Add("the", singleWord: true);
        Add("|>", special: true, left: true);
        Add("-", right: true);
        Add("DOG", normalized: true);
        Add("ﬁ", normalized: true, left: true, right: true);
        Add("...");
        Add("~", normalized: true, singleWord: true);
        return made;

        void Add(string content, bool special = false, bool normalized = false, bool singleWord = false, bool left = false,
            bool right = false) =>
            added.Add(Added(made["model"]!["vocab"]![content]?.GetValue<int>() ?? next++, content, special, normalized, singleWord, left,
                right));
    }
}
