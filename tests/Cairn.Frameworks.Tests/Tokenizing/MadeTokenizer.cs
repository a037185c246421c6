using System.Text;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Tokenizing;
using Cairn.Frameworks.Tokenizing.Splitting;

namespace Cairn.Frameworks.Tests.Tokenizing;

/// <summary>Writes tokenizers' files, and reads them as the engine would.</summary>
internal static class MadeTokenizer
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

    /// <summary>256 byte tokens, merges learnt from <see cref="Training.Text"/>, and the special tokens <c>&lt;s&gt;</c>, <c>&lt;/s&gt;</c> and <c>&lt;|end|&gt;</c>.</summary>
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
            ["added_tokens"] = new JsonArray(Added(next, "<s>"), Added(next + 1, "</s>"), Added(next + 2, "<|end|>"), Added(next + 3, "<tool>", special: false)),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true },
            ["post_processor"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = false, ["use_regex"] = true },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["continuing_subword_prefix"] = null, ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false, ["byte_fallback"] = false, ["ignore_merges"] = false, ["vocab"] = vocabulary, ["merges"] = learnt,
            },
        };
    }

    public static JsonObject Added(int id, string content, bool special = true, bool normalized = false, bool singleWord = false, bool left = false, bool right = false) =>
        new()
        {
            ["id"] = id, ["content"] = content, ["single_word"] = singleWord, ["lstrip"] = left, ["rstrip"] = right, ["normalized"] = normalized,
            ["special"] = special,
        };

    /// <summary>The Llama 3 arrangement: a Split by its own pattern, then ByteLevel without one; a template that adds <c>&lt;s&gt;</c>.</summary>
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
                    ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = Gpt4Words }, ["behavior"] = "Isolated", ["invert"] = false,
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

    private static List<string> Bytes(string word) => [.. Encoding.UTF8.GetBytes(word).Select(value => ByteCharacters.Of(value).ToString())];
}
