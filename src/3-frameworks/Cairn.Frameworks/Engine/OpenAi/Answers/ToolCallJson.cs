using System.Text;
using System.Text.Json;
using Cairn.Frameworks.ToolCalls;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>Calls as OpenAI writes them.</summary>
internal static class ToolCallJson
{
    /// <param name="index">Null in a whole answer, where the place in the list says it.</param>
    public static void Write(Utf8JsonWriter json, int? index, string id, string name, string arguments)
    {
        if (index is { } place)
            json.WriteNumber("index"u8, place);
        json.WriteString("id"u8, id);
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, name);
        json.WriteString("arguments"u8, arguments);
        json.WriteEndObject();
    }

    public static void WriteMore(Utf8JsonWriter json, int index, string arguments)
    {
        json.WriteNumber("index"u8, index);
        json.WriteStartObject("function"u8);
        json.WriteString("arguments"u8, arguments);
        json.WriteEndObject();
    }

    /// <summary>A whole output's text without its calls, and the calls.</summary>
    public static (string Content, IReadOnlyList<(string Id, string Name, string Arguments)> Calls) Split(string text,
        ToolCallParser parser)
    {
        var content = new StringBuilder();
        var calls = new List<(string Id, string Name, StringBuilder Arguments)>();
        foreach (var delta in parser.Append(text).Concat(parser.Finish()))
        {
            switch (delta)
            {
                case ToolCallDelta.Content said:
                    content.Append(said.Text);
                    break;
                case ToolCallDelta.Call call:
                    calls.Add((call.Id, call.Name, new StringBuilder()));
                    break;
                case ToolCallDelta.Arguments more:
                    calls[more.Index].Arguments.Append(more.Fragment);
                    break;
            }
        }

        return (content.ToString(), [.. calls.Select(call => (call.Id, call.Name, call.Arguments.ToString()))]);
    }
}
