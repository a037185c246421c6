using System.Text.Json;

namespace Cairn.Frameworks.Gguf;

/// <summary>The tokens of a model as llama.cpp keeps them: a byte-level vocabulary with merges.</summary>
internal sealed record GgufVocabulary
{
    /// <summary>The written form of every token, by id; bytes are written as byte-level tokenizers write them.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>Ids of tokens that are never text.</summary>
    public IReadOnlySet<int> Special { get; init; } = new HashSet<int>();

    /// <summary>Pairs to join, first the most important, as <c>left right</c>.</summary>
    public IReadOnlyList<string> Merges { get; init; } = [];

    public int? Begin { get; init; }

    /// <summary>Ends a text.</summary>
    public int? End { get; init; }

    /// <summary>Ends a turn of a conversation.</summary>
    public int? EndOfTurn { get; init; }

    /// <summary>A Jinja template.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>
    /// Reads a byte-level <c>tokenizer.json</c>, and where the folder has them the chat template and <c>genai_config.json</c>, for what
    /// begins and ends a text.
    /// </summary>
    /// <exception cref="NotSupportedException">
    /// The tokenizer is not byte-level BPE, or an id below <paramref name="size"/> has no token.
    /// </exception>
    public static GgufVocabulary Read(string folder, int size)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var root = document.RootElement;
        var model = root.GetProperty("model");
        if (model.GetProperty("type").GetString() != "BPE" || root.GetProperty("decoder").GetProperty("type").GetString() != "ByteLevel")
            throw new NotSupportedException($"{path} is not a byte-level BPE tokenizer; only such can be written as GGUF.");
        var tokens = new string?[size];
        foreach (var token in model.GetProperty("vocab").EnumerateObject())
            tokens[token.Value.GetInt32()] = token.Name;
        var special = new HashSet<int>();
        foreach (var token in root.GetProperty("added_tokens").EnumerateArray())
        {
            var id = token.GetProperty("id").GetInt32();
            tokens[id] = token.GetProperty("content").GetString();
            if (token.GetProperty("special").GetBoolean())
                special.Add(id);
        }

        var hole = Array.IndexOf(tokens, null);
        if (hole >= 0)
            throw new NotSupportedException($"{path} has no token with id {hole}; expected one for each id below {size}.");
        var template = Path.Combine(folder, "chat_template.jinja");
        return WithEnds(folder, new GgufVocabulary
        {
            Tokens = tokens!,
            Special = special,
            Merges = [.. model.GetProperty("merges").EnumerateArray().Select(Merge)],
            ChatTemplate = File.Exists(template) ? File.ReadAllText(template) : null,
        });
    }

    private static GgufVocabulary WithEnds(string folder, GgufVocabulary vocabulary)
    {
        var path = Path.Combine(folder, "genai_config.json");
        if (!File.Exists(path))
            return vocabulary;
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var model = document.RootElement.GetProperty("model");
        var end = model.GetProperty("eos_token_id");
        int[] ends = end.ValueKind == JsonValueKind.Array ? [.. end.EnumerateArray().Select(e => e.GetInt32())] : [end.GetInt32()];
        return vocabulary with { Begin = model.GetProperty("bos_token_id").GetInt32(), End = ends[0], EndOfTurn = ends[^1] };
    }

    /// <summary>Written as <c>"a b"</c> in older files and as <c>["a", "b"]</c> in newer.</summary>
    private static string Merge(JsonElement merge) =>
        merge.ValueKind == JsonValueKind.String ? merge.GetString()! : $"{merge[0].GetString()} {merge[1].GetString()}";
}
