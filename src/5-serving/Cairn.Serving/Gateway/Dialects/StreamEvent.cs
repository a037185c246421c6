using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>One server-sent event.</summary>
/// <param name="Name">Its <c>event:</c> field; null where it has none.</param>
/// <param name="Data">Its data; null for the two below.</param>
internal sealed record StreamEvent(string? Name, JsonObject? Data)
{
    /// <summary>What OpenAI's chat streams end with.</summary>
    public static readonly StreamEvent Done = new("[DONE]", null);

    /// <summary>Says only that the connection lives.</summary>
    public static readonly StreamEvent Ping = new("ping", null);

    /// <summary>Reads one event, up to and with its empty line.</summary>
    /// <exception cref="FieldFault">Its data are not a JSON object.</exception>
    public static StreamEvent Parse(ReadOnlySpan<byte> bytes)
    {
        string? name = null;
        byte[]? data = null;
        foreach (var range in bytes.Split((byte)'\n'))
        {
            var line = bytes[range].TrimEnd((byte)'\r');
            if (line.StartsWith("event:"u8))
                name = Encoding.UTF8.GetString(Value(line[6..]));
            else if (line.StartsWith("data:"u8))
                data = data is null ? Value(line[5..]).ToArray() : [.. data, (byte)'\n', .. Value(line[5..])];
        }
        if (data is null || name == "ping")
            return Ping;
        return data.AsSpan().SequenceEqual("[DONE]"u8) ? Done : new StreamEvent(name, Fields.Parse(data));
    }

    public void Write(IBufferWriter<byte> output)
    {
        if (this == Done)
        {
            output.Write("data: [DONE]\n\n"u8);
            return;
        }
        if (Data is null)
        {
            output.Write(": ping\n\n"u8);
            return;
        }
        if (Name is not null)
        {
            output.Write("event: "u8);
            output.Write(Encoding.UTF8.GetBytes(Name));
            output.Write("\n"u8);
        }
        output.Write("data: "u8);
        output.Write(Fields.Bytes(Data));
        output.Write("\n\n"u8);
    }

    private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> field) => field is [(byte)' ', ..] ? field[1..] : field;
}
