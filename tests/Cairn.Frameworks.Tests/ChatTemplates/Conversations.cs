using System.Text.Json.Nodes;
using CsCheck;

namespace Cairn.Frameworks.Tests.ChatTemplates;

/// <summary>Conversations of any shape, good ones and such as templates refuse.</summary>
internal static class Conversations
{
    private static readonly string[] Texts =
    [
        "Hello", " padded \n", "", "two\nlines\n\n  indented", "ünï 中文 👩‍👩‍👧‍👦", "<think>why\n</think>\n\nbecause",
            "quotes \" and ' and \\", "<tool_response>x</tool_response>",
        "a<b>&c", "{{ not a template }}", "\u2028\u0000\u001f\u007f", "1.0",
    ];

    private static readonly Gen<string> Text = Gen.Int[0, Texts.Length - 1].Select(i => Texts[i]);

    private static readonly Gen<JsonNode?> Value = Gen.Recursive<JsonNode?>((depth, inner) => depth > 2
        ? Text.Select(text => (JsonNode?)text)
        : Gen.OneOf(
            Text.Select(text => (JsonNode?)text),
            Gen.Int[-5, 1000].Select(number => (JsonNode?)number),
            Gen.Double[-1e6, 1e6].Select(number => (JsonNode?)Math.Round(number, 3)),
            Gen.Bool.Select(flag => (JsonNode?)flag),
            Gen.Const((JsonNode?)null),
            inner.Array[0, 3].Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())])),
            Object(inner).Select(fields => (JsonNode?)fields)));

    private static readonly Gen<JsonObject> Call = Gen.Select(Text, Object(Value), Gen.Bool).Select((name, arguments, longId) =>
        new JsonObject
    {
        ["id"] = longId ? "abcdefghi" : "short", ["type"] = "function",
        ["function"] = new JsonObject { ["name"] = "do_" + name.Length, ["arguments"] = arguments.DeepClone() },
    });

    private static readonly Gen<JsonObject> Message = Gen.Select(Gen.Int[0, 5], Text, Call.Array[1, 2],
        Value).Select((kind, text, calls, value) => kind switch
    {
        0 or 1 => new JsonObject { ["role"] = "user", ["content"] = text },
        2 => new JsonObject { ["role"] = "assistant", ["content"] = text },
        3 => new JsonObject { ["role"] = "assistant", ["content"] = null,
            ["tool_calls"] = new JsonArray([.. calls.Select(call => call.DeepClone())]) },
        4 => new JsonObject { ["role"] = "tool", ["content"] = text, ["tool_call_id"] = "abcdefghi" },
        _ => new JsonObject
        {
            ["role"] = "user", ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text },
                new JsonObject { ["type"] = "image" }),
        },
    });

    private static readonly Gen<JsonObject> Tool = Gen.Select(Text, Object(Object(Value))).Select((text, properties) => new JsonObject
    {
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = "tool" + text.Length, ["description"] = text,
            ["parameters"] = new JsonObject { ["type"] = "object", ["properties"] = properties.DeepClone(),
                ["required"] = new JsonArray("a") },
        },
    });

    public static Gen<JsonObject> Any { get; } = Gen.Select(Gen.Bool, Message.Array[1, 6], Tool.Array[0, 2], Gen.Bool,
        Gen.Bool).Select((system, messages, tools, prompt, ordered) =>
    {
        var list = new JsonArray();
        if (system) list.Add(new JsonObject { ["role"] = "system", ["content"] = "Be  brief. " });
        for (var i = 0; i < messages.Length; i++)
        {
            // Half of the conversations alternate as the stricter templates want it.
            list.Add(ordered ? new JsonObject { ["role"] = i % 2 == 0
                ? "user" : "assistant", ["content"] = messages[i]["content"] is JsonValue text ? text.DeepClone() : "x" }
                : messages[i].DeepClone());
        }
        return new JsonObject
        {
            ["messages"] = list, ["tools"] = tools.Length == 0 ? null : new JsonArray([.. tools.Select(tool => tool.DeepClone())]),
                ["add_generation_prompt"] = prompt,
            ["bos_token"] = "<s>", ["eos_token"] = "</s>",
        };
    });

    private static Gen<JsonObject> Object<T>(Gen<T> value) where T : JsonNode? =>
        Gen.Select(Gen.Int[0, 4].Array[0, 3], value.Array[3]).Select((names, values) =>
    {
        var fields = new JsonObject();
        for (var i = 0; i < names.Length; i++) fields["aZé_b"[names[i]].ToString()] = values[i]?.DeepClone();
        return fields;
    });
}
