using System.Text;
using System.Text.Json;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>Reads OpenAI's <c>response_format</c>, and vLLM's <c>structured_outputs</c> and <c>guided_*</c>. At most one may be
/// given.</summary>
internal static class ConstraintFields
{
    private const int LongestRegex = 16 << 10;
    private const int MostChoices = 1024;

    public static ConstraintSpec? Read(Fields fields)
    {
        var found = new List<ConstraintSpec>();
        Add(found, ResponseFormat(fields));
        Guided(found, fields, "guided_json", "guided_regex", "guided_choice", "guided_grammar");
        if (fields.Object("structured_outputs") is { } outputs)
        {
            Guided(found, outputs, "json", "regex", "choice", "grammar");
            if (outputs.Flag("json_object") == true)
                found.Add(new ConstraintSpec.AnyObject(outputs.PathOf("json_object")));
        }

        if (found.Count > 1)
            fields.Refuse(found[1].Param, $"{found[0].Param} and {found[1].Param} both say what the output looks like; give one of them.");
        return found.Count > 0 ? found[0] : null;
    }

    private static ConstraintSpec? ResponseFormat(Fields fields)
    {
        if (fields.Object("response_format") is not { } format)
            return null;
        switch (format.OneOf("type", "text", "json_object", "json_schema"))
        {
            case "json_object":
                return new ConstraintSpec.AnyObject("response_format");
            case "json_schema":
                if (format.Object("json_schema") is not { } named)
                {
                    format.Refuse("json_schema", "response_format.json_schema is missing; it holds name and schema.");
                    return null;
                }

                named.Text("name", 256);
                return Schema(named, "schema") ?? new ConstraintSpec.AnyObject("response_format");
            case null:
                format.Refuse("type", "response_format.type is missing; expected text, json_object or json_schema.");
                return null;
            default:
                return null;
        }
    }

    private static void Guided(List<ConstraintSpec> found, Fields fields, string json, string regex, string choice, string grammar)
    {
        Add(found, Schema(fields, json));
        if (fields.Text(regex, LongestRegex) is { } pattern)
            found.Add(new ConstraintSpec.Regex(fields.PathOf(regex), pattern));
        Add(found, Choice(fields, choice));
        if (fields.Has(grammar))
            fields.Refuse(grammar, $"{fields.PathOf(grammar)} is not supported here; a JSON Schema, a regular expression or a list of choices is.", "unsupported");
    }

    private static ConstraintSpec? Schema(Fields fields, string name)
    {
        if (!fields.TryGet(name, out var value))
            return null;
        if (value.ValueKind == JsonValueKind.String)
        {
            // Some clients send the schema as a text; it is then a document of its own.
            var (inner, error) = RequestBody.Parse(Encoding.UTF8.GetBytes(value.GetString()!));
            if (inner is null)
            {
                fields.Refuse(name, $"{fields.PathOf(name)} is a text that holds no JSON object. {error!.Message}");
                return null;
            }

            using (inner)
                value = inner.RootElement.Clone();
        }

        if (value.ValueKind is JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False)
            return new ConstraintSpec.Schema(fields.PathOf(name), value);
        fields.WrongKind(name, value, "a JSON Schema");
        return null;
    }

    private static ConstraintSpec.Choice? Choice(Fields fields, string name)
    {
        if (!fields.Has(name))
            return null;
        var texts = new List<string>();
        foreach (var item in fields.Array(name, MostChoices))
        {
            if (item.ValueKind != JsonValueKind.String || item.GetString() is not { Length: > 0 } text)
            {
                fields.WrongKind($"{name}[{texts.Count}]", item, "a text that is not empty");
                return null;
            }

            texts.Add(text);
        }

        if (texts.Count > 0)
            return new ConstraintSpec.Choice(fields.PathOf(name), texts);
        fields.Refuse(name, $"{fields.PathOf(name)} is empty; expected 1 to {MostChoices} texts.");
        return null;
    }

    private static void Add(List<ConstraintSpec> found, ConstraintSpec? one)
    {
        if (one is not null)
            found.Add(one);
    }
}
