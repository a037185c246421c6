using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>The object that a response is, which repeats what was asked for.</summary>
internal sealed class ResponseWords(Call call, JsonObject request)
{
    public JsonObject Response(string status, JsonArray output, JsonNode? usage)
    {
        var response = new JsonObject
        {
            ["id"] = "resp_" + call.Record.Number, ["object"] = "response", ["created_at"] = call.Record.At.ToUnixTimeSeconds(), ["status"] = status,
            ["background"] = false, ["error"] = null, ["incomplete_details"] = null, ["instructions"] = Asked("instructions"),
            ["max_output_tokens"] = Asked("max_output_tokens"), ["max_tool_calls"] = null, ["model"] = call.Facts.Model, ["output"] = output,
            ["parallel_tool_calls"] = Asked("parallel_tool_calls") ?? true, ["previous_response_id"] = Asked("previous_response_id"),
            ["prompt_cache_key"] = Asked("prompt_cache_key"), ["reasoning"] = Reasoning(), ["safety_identifier"] = Asked("safety_identifier"),
            ["service_tier"] = "default", ["store"] = Asked("store") ?? false, ["temperature"] = Asked("temperature") ?? 1.0, ["text"] = Text(),
            ["tool_choice"] = Asked("tool_choice") ?? "auto", ["tools"] = Asked("tools") ?? new JsonArray(), ["top_logprobs"] = 0, ["top_p"] = Asked("top_p") ?? 1.0,
            ["truncation"] = "disabled", ["usage"] = usage is null ? null : UsageOf(usage), ["user"] = Asked("user"), ["metadata"] = Asked("metadata") ?? new JsonObject(),
        };
        return response;
    }

    private JsonNode? Asked(string name) => request[name]?.DeepClone();

    private JsonObject Reasoning() => new() { ["effort"] = (request["reasoning"] as JsonObject)?["effort"]?.DeepClone(), ["summary"] = null };

    private JsonObject Text()
    {
        var text = request["text"] as JsonObject;
        return new JsonObject
        {
            ["format"] = text?["format"]?.DeepClone() ?? new JsonObject { ["type"] = "text" }, ["verbosity"] = text?["verbosity"]?.DeepClone() ?? "medium",
        };
    }

    private static JsonObject UsageOf(JsonNode usage)
    {
        var (input, cached, output) = ChatWords.Usage(usage);
        var reasoning = Fields.Count(((usage as JsonObject)?["completion_tokens_details"] as JsonObject)?["reasoning_tokens"]);
        return new JsonObject
        {
            ["input_tokens"] = input, ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = cached }, ["output_tokens"] = output,
            ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = reasoning }, ["total_tokens"] = input + output,
        };
    }
}
