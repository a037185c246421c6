using Cairn.Contracts.Api;
using Cairn.Serving.Files;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Batches;

/// <summary>OpenAI's batches. A batch belongs to its project; its lines are asked in the name of the key that made it.</summary>
internal sealed class BatchEndpoints(Store store, FileShelf shelf, InferenceGateway gateway, BatchOptions options)
{
    private const int MostListed = 100;
    private const int UsuallyListed = 20;
    private const int MostBodyBytes = 64 << 10;
    private static readonly TimeSpan s_window = TimeSpan.FromHours(24);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/batches", OpenAiAnswers.Guarded(gateway, MakeAsync));
        routes.MapGet("/v1/batches", OpenAiAnswers.Guarded(gateway, ListAsync));
        routes.MapGet("/v1/batches/{id}", OpenAiAnswers.Guarded(gateway, ShowAsync));
        routes.MapPost("/v1/batches/{id}/cancel", OpenAiAnswers.Guarded(gateway, CancelAsync));
    }

    private static CallError Missing(string id) => new(404, "invalid_request_error", null, $"No batch found with id '{OpenAiAnswers.Short(id)}'.", "batch_id");

    private async Task<CallError?> MakeAsync(HttpContext context, GatewayKey key)
    {
        var (wish, error) = BatchWish.Read(await BodyAsync(context));
        if (wish is null)
            return error;
        if (await shelf.FindAsync(key.Project, wish.InputFile, context.RequestAborted) is not { } input)
            return CallError.Invalid($"No such File object: {OpenAiAnswers.Short(wish.InputFile)}", "input_file_id");
        if (input.Purpose != "batch")
            return CallError.Invalid($"Invalid file purpose: expected 'batch', but {input.Id} has the purpose '{input.Purpose}'.", "input_file_id");
        if (input.Bytes > options.MostInputBytes)
            return CallError.Invalid($"The file {input.Id} has {input.Bytes:N0} bytes; a batch reads at most {options.MostInputBytes:N0}.", "input_file_id");
        var now = gateway.Now;
        var batch = new BatchRow
        {
            Id = BatchRow.NewId(now), ProjectId = key.Project, KeyId = key.Id, Endpoint = wish.Endpoint, InputFileId = input.Id, Metadata = wish.Metadata,
            OutputSeconds = wish.OutputSeconds, CreatedAt = now, ExpiresAt = now + s_window,
        };
        var open = await store.WriteAsync(session =>
        {
            var count = BatchRows.CountOpen(session, key.Project);
            if (count < options.MostOpenPerProject)
                BatchRows.Add(session, batch);
            return count;
        }, context.RequestAborted);
        return open < options.MostOpenPerProject ? await SendAsync(context, batch) : new CallError(429, "requests", "batch_limit_exceeded",
            $"The project has {open} batches that have not ended, and may have {options.MostOpenPerProject}. Wait for one, or cancel one.") { RetryAfter = TimeSpan.FromMinutes(1) };
    }

    private async Task<CallError?> ListAsync(HttpContext context, GatewayKey key)
    {
        var (limit, error) = OpenAiAnswers.LimitOf(context, MostListed, UsuallyListed);
        if (error is not null)
            return error;
        var query = new BatchQuery(key.Project, context.Request.Query["after"], limit);
        var found = await store.ReadAsync(session => BatchRows.List(session, query), context.RequestAborted);
        return await OpenAiAnswers.SendListAsync(context, found, limit, b => b.Id, b => b.View());
    }

    private async Task<CallError?> ShowAsync(HttpContext context, GatewayKey key)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        var batch = await store.ReadAsync(session => BatchRows.Find(session, key.Project, id), context.RequestAborted);
        return batch is null ? Missing(id) : await SendAsync(context, batch);
    }

    private async Task<CallError?> CancelAsync(HttpContext context, GatewayKey key)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        var (batch, cancelled) = await store.WriteAsync(session =>
        {
            var done = BatchRows.Cancel(session, key.Project, id);
            return (BatchRows.Find(session, key.Project, id), done);
        }, context.RequestAborted);
        if (batch is null)
            return Missing(id);
        // Asked twice, it is as asked once.
        return cancelled || batch.Phase == BatchPhase.Cancelling ? await SendAsync(context, batch)
            : new CallError(409, "invalid_request_error", null, $"Cannot cancel a batch with status '{EnumWords.Of(batch.Phase)}'.");
    }

    private static Task<CallError?> SendAsync(HttpContext context, BatchRow batch) => OpenAiAnswers.SendAsync(context, batch.View());

    /// <summary>What is longer than any body that makes sense is cut, and is no JSON then.</summary>
    private static async Task<byte[]> BodyAsync(HttpContext context)
    {
        var bytes = new byte[MostBodyBytes];
        var count = await context.Request.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, context.RequestAborted);
        return bytes[..count];
    }
}
