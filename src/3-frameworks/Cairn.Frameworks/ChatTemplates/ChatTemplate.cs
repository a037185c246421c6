using System.Text.Json;
using System.Text.Json.Nodes;
using Cairn.Frameworks.ChatTemplates.Running;
using Cairn.Frameworks.ChatTemplates.Syntax;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates;

/// <summary>A model's chat template: the subset of Jinja that published templates use. Safe for concurrent use.</summary>
public sealed class ChatTemplate
{
    /// <summary>Far beyond any published template.</summary>
    private const int MostSourceCharacters = 1 << 20;
    private const long MostFileBytes = 256L << 20;
    private readonly IReadOnlyList<Statement> _body;

    private ChatTemplate(string source, IReadOnlyList<Statement> body) => (Source, _body) = (source, body);

    /// <summary>As it was written; it shows how the model writes tool calls.</summary>
    public string Source { get; }

    /// <summary>
    /// From <c>chat_template.jinja</c>, or <c>chat_template</c> in <c>tokenizer_config.json</c>; null where the folder has neither. Where
    /// that file names several, the one named <c>default</c>, or the first.
    /// </summary>
    /// <exception cref="ChatTemplateException">The template does not parse, or its file cannot be read.</exception>
    public static ChatTemplate? Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        try
        {
            var own = new FileInfo(Path.Combine(folder, "chat_template.jinja"));
            if (own.Exists) return Parse(own.Length <= MostSourceCharacters * 4L ? File.ReadAllText(own.FullName)
                : throw TooLong(own.FullName));
            var config = new FileInfo(Path.Combine(folder, "tokenizer_config.json"));
            if (!config.Exists) return null;
            if (config.Length > MostFileBytes) throw new ChatTemplateException($"{config.FullName} has {config.Length} bytes; expected at most {MostFileBytes}.");
            using var file = config.OpenRead();
            using var document = JsonDocument.Parse(file);
            return Named(config.FullName, document.RootElement) is { } source ? Parse(source) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new ChatTemplateException($"The chat template of {folder} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Parses a template.</summary>
    /// <exception cref="ChatTemplateException">The template does not parse; the message has line and column.</exception>
    public static ChatTemplate Parse(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Length > MostSourceCharacters) throw TooLong("The chat template");
        return new ChatTemplate(source, TemplateParser.Parse(source));
    }

    /// <summary>
    /// Renders a conversation to the text that the model continues. Bounded in steps and in output, so a template cannot loop for ever.
    /// </summary>
    /// <param name="variables">What the template sees: <c>messages</c>, <c>tools</c>, <c>add_generation_prompt</c>, <c>bos_token</c>, and so
    /// on.</param>
    /// <param name="now">What <c>strftime_now</c> tells.</param>
    /// <param name="cancellationToken">Ends the rendering.</param>
    /// <exception cref="ChatTemplateException">The template raised an error, used something undefined in a way it may not, or passed a
    /// bound.</exception>
    public string Render(JsonObject variables, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(variables);
        try
        {
            return new Rendering(new Budget(cancellationToken), now).Render(_body, (TemplateDict)TemplateJson.Read(variables)!);
        }
        catch (InsufficientExecutionStackException e)
        {
            throw new ChatTemplateException("The chat template, or a value in it, nests too deep.", e);
        }
    }

    private static ChatTemplateException TooLong(string what) => new($"{what} is longer than {MostSourceCharacters} characters.");

    private static string? Named(string file, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("chat_template", out var template)) return null;
        switch (template.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.String:
                return template.GetString();
            case JsonValueKind.Array:
                var named = template.EnumerateArray().Where(one =>
                    one.ValueKind == JsonValueKind.Object && Text(one, "template") is not null).ToList();
                var chosen = named.FirstOrDefault(one => Text(one, "name") == "default", named.FirstOrDefault());
                return chosen.ValueKind == JsonValueKind.Object ? Text(chosen, "template") : null;
            default:
                throw new ChatTemplateException($"{file}: $.chat_template is {template.ValueKind}; expected a text, or a list of named templates.");
        }
    }

    private static string? Text(JsonElement place, string name) =>
        place.TryGetProperty(name, out var found) && found.ValueKind == JsonValueKind.String ? found.GetString() : null;
}
