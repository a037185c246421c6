using System.Text.Json;

namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>How a model's special tokens are written, as its chat template may ask: <c>bos_token</c>, <c>eos_token</c>, <c>pad_token</c>,
/// <c>unk_token</c>.</summary>
internal sealed record SpecialTokenNames(IReadOnlyDictionary<string, string> Texts)
{
    private const int MaximumFileBytes = 16 << 20;
    private static readonly string[] s_names = ["bos_token", "eos_token", "pad_token", "unk_token"];

    /// <summary>From <c>tokenizer_config.json</c>, then <c>special_tokens_map.json</c>; a file that is not there says nothing.</summary>
    /// <exception cref="ModelLoadException">A file is not JSON.</exception>
    public static SpecialTokenNames Load(string folder)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in new[] { "tokenizer_config.json", "special_tokens_map.json" })
        {
            var file = new FileInfo(Path.Combine(folder, name));
            if (file.Exists)
                Read(file, texts);
        }

        return new SpecialTokenNames(texts);
    }

    private static void Read(FileInfo file, Dictionary<string, string> texts)
    {
        if (file.Length > MaximumFileBytes)
            throw new ModelLoadException($"{file.FullName} has {file.Length} bytes; expected at most {MaximumFileBytes}.");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file.FullName));
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new ModelLoadException($"{file.FullName} is a JSON {document.RootElement.ValueKind}; expected an object.");
            foreach (var name in s_names)
            {
                // Written as the text, or as an object that has it as its content.
                if (document.RootElement.TryGetProperty(name, out var token)
                    && (token.ValueKind != JsonValueKind.Object || token.TryGetProperty("content", out token))
                    && token.ValueKind == JsonValueKind.String)
                {
                    texts.TryAdd(name, token.GetString()!);
                }
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new ModelLoadException($"{file.FullName} is not JSON: {exception.Message}", exception);
        }
    }
}
