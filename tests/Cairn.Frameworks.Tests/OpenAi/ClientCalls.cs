using System.Text.Json.Nodes;
using Cairn.Frameworks.Tests.Oracles;

namespace Cairn.Frameworks.Tests.OpenAi;

/// <summary>Calls of the official client.</summary>
internal sealed class ClientCalls(ServedTinyModel served)
{
    public JsonNode Must(string method, JsonNode? body, string mode = "whole")
    {
        var answer = Ask(method, body, mode);
        Assert.Null(answer["error"]?.ToJsonString());
        return answer["value"]!;
    }

    public Refusal Refused(string method, JsonNode body)
    {
        var error = Ask(method, body, "whole")["error"];
        Assert.NotNull(error);
        return new Refusal(((string)error["kind"]!, (int)error["status"]!, (string?)error["code"], (string?)error["param"]),
            (string)error["message"]!, (string?)error["requestId"]);
    }

    public JsonNode Ask(string method, JsonNode? body, string mode, int abortAfter = 0) => Oracle.OpenAiClient.AskWhole(new JsonObject
    {
        ["baseURL"] = served.Address + "/v1", ["method"] = method, ["body"] = body?.DeepClone(), ["mode"] = mode,
            ["abortAfter"] = abortAfter,
    });

    internal sealed record Refusal((string Kind, int Status, string? Code, string? Param) Facts, string Message, string? RequestId);
}
