using System.Text;
using System.Text.Json.Nodes;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Dialects;

namespace Cairn.Serving.Gateway.Responses;

/// <summary>What responses go on from, and whether they are kept.</summary>
/// <param name="keeper">Null where nothing can be kept.</param>
internal sealed class ResponseMemory(IKeepsResponses? keeper, TimeProvider time)
{
    /// <summary>As long as OpenAI keeps them.</summary>
    private static readonly TimeSpan s_keptFor = TimeSpan.FromDays(30);

    private const int MostKeptBytes = 4 << 20;

    /// <summary>
    /// Puts the conversation that the request goes on from in front of its input, so that limits, estimates and the model see all of it,
    /// and says whether the response is kept: unless the client says no, as at OpenAI.
    /// </summary>
    /// <returns>What keeps the response once it is there, or null; or why the request is refused.</returns>
    public async Task<(Func<JsonObject, CancellationToken, Task<bool>>? Keep, CallError? Error)> PlanAsync(
        ProjectId project, string number, RequestBody body, CancellationToken cancellationToken)
    {
        try
        {
            var request = Fields.Parse(body.Bytes.Span);
            if (Fields.IsTrue(request["background"]))
                throw Fields.Unspoken("background", "responses are made while their client waits. Send it without, or stream it.");
            var items = ItemsOf(request["input"], number);
            if (request["previous_response_id"] is { } before)
                items = await BeforeAsync(project, Fields.Text(before, "previous_response_id"), items, cancellationToken);
            request["input"] = items;
            var kept = Fields.Json(items);
            var mustKeep = Fields.IsTrue(request["store"]);
            if (mustKeep && keeper is { IsAway: true })
                throw new KeeperAwayException("The server that keeps responses is away.");
            var keeps = keeper is { IsAway: false } && (mustKeep || request["store"] is null) && kept.Length <= MostKeptBytes;
            if (mustKeep && !keeps)
                throw Fields.Unspoken("store", keeper is null ? "this gateway keeps no responses." : $"the conversation is larger than {MostKeptBytes:N0} bytes.");
            request["store"] = keeps;
            if (!body.TryReplace(Fields.Bytes(request)))
                return (null, CallError.NoMemory);
            return (keeps ? (response, token) => KeepAsync(project, response, kept, token) : null, null);
        }
        catch (FieldFault fault)
        {
            return (null, CallError.Invalid(fault.Message, fault.Param));
        }
        catch (KeeperAwayException)
        {
            return (null, CallError.Away);
        }
    }

    public Task<KeptResponse?> FindAsync(ProjectId project, string id, CancellationToken cancellationToken) =>
        keeper is null ? Task.FromResult<KeptResponse?>(null) : keeper.FindAsync(project, id, cancellationToken);

    public Task<bool> ForgetAsync(ProjectId project, string id, CancellationToken cancellationToken) =>
        keeper is null ? Task.FromResult(false) : keeper.ForgetAsync(project, id, cancellationToken);

    private async Task<JsonArray> BeforeAsync(ProjectId project, string id, JsonArray input, CancellationToken cancellationToken)
    {
        var kept = await FindAsync(project, id, cancellationToken)
            ?? throw new FieldFault($"Previous response with id '{id}' not found.", "previous_response_id");
        var items = (JsonArray)JsonNode.Parse(kept.Items)!;
        foreach (var item in JsonNode.Parse(kept.Response)!["output"]!.AsArray())
            items.Add(item!.DeepClone());
        foreach (var item in input)
            items.Add(item!.DeepClone());
        return items;
    }

    private Task<bool> KeepAsync(ProjectId project, JsonObject response, string items, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return keeper!.KeepAsync(new KeptResponse((string)response["id"]!, project, now, now + s_keptFor, Fields.Json(response), items), cancellationToken);
    }

    /// <summary>The input as items that have ids.</summary>
    private static JsonArray ItemsOf(JsonNode? input, string number)
    {
        if (Fields.TextOrNull(input) is { } text)
        {
            input = new JsonArray(new JsonObject
            {
                ["type"] = "message", ["role"] = "user", ["content"] = new JsonArray(new JsonObject { ["type"] = "input_text", ["text"] = text }),
            });
        }
        var items = (JsonArray)Fields.Array(input, "input").DeepClone();
        for (var i = 0; i < items.Count; i++)
        {
            var item = Fields.Object(items[i], $"input[{i}]");
            item["type"] ??= "message";
            var prefix = Fields.TextOrNull(item["type"]) switch { "message" => "msg", "function_call" => "fc", "function_call_output" => "fco", _ => "item" };
            item["id"] ??= new StringBuilder(prefix).Append('_').Append(number).Append("_in").Append(i).ToString();
        }
        return items;
    }
}
