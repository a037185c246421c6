using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Files;

/// <summary>OpenAI's files. A file belongs to its project.</summary>
internal sealed class FileEndpoints(FileShelf shelf, InferenceGateway gateway)
{
    private const int MostListed = 10_000;

    /// <summary>What a form may have beside its file.</summary>
    public const long FormBytes = 1 << 20;

    private readonly SemaphoreSlim _uploads = new(shelf.Options.UploadsAtOnce);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/files", OpenAiAnswers.Guarded(gateway, UploadAsync));
        routes.MapGet("/v1/files", OpenAiAnswers.Guarded(gateway, ListAsync));
        routes.MapGet("/v1/files/{id}", OpenAiAnswers.Guarded(gateway, ShowAsync));
        routes.MapGet("/v1/files/{id}/content", OpenAiAnswers.Guarded(gateway, ReadAsync));
        routes.MapDelete("/v1/files/{id}", OpenAiAnswers.Guarded(gateway, ForgetAsync));
    }

    public static CallError Missing(string id) => new(404, "invalid_request_error", null, $"No such File object: {OpenAiAnswers.Short(id)}", "id");

    private async Task<CallError?> UploadAsync(HttpContext context, GatewayKey key)
    {
        var most = shelf.Options.MostBytes;
        if (context.Request.ContentLength > most + FormBytes)
            return FileUpload.TooLarge(most);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = most + FormBytes;
        if (!_uploads.Wait(TimeSpan.Zero))
            return CallError.NoMemory;
        try
        {
            return await TakeAsync(context, key, most);
        }
        catch (IOException full) when (!context.RequestAborted.IsCancellationRequested)
        {
            return new CallError(503, "server_error", "unavailable", $"The file could not be taken: {full.Message}") { RetryAfter = TimeSpan.FromSeconds(5) };
        }
        finally
        {
            _uploads.Release();
        }
    }

    private async Task<CallError?> TakeAsync(HttpContext context, GatewayKey key, long most)
    {
        var now = shelf.Now;
        await using var spool = await shelf.SpoolAsync(FileRow.NewId(now), context.RequestAborted);
        var (wish, error) = await new FileUpload(spool, most).ReadAsync(context.Request, context.RequestAborted);
        if (wish is null)
            return error;
        var lives = wish.ExpiresAfter ?? (wish.Purpose == "batch" ? FileExpiry.OfBatches : null);
        var draft = new FileRow { ProjectId = key.Project, KeyId = key.Id, Purpose = wish.Purpose, Name = wish.Name, CreatedAt = now, ExpiresAt = now + lives };
        if (await shelf.PlaceAsync(draft, spool, bounded: true, context.RequestAborted) is not { } file)
            return Full();
        await shelf.ReadyAsync(file, context.RequestAborted);
        return await OpenAiAnswers.SendAsync(context, file.View);
    }

    private CallError Full() => new(400, "invalid_request_error", "storage_limit_exceeded",
        $"The project has no room for the file: it may keep {shelf.Options.MostPerProject:N0} files of {shelf.Options.MostBytesPerProject:N0} bytes together. Delete some first.", "file");

    private async Task<CallError?> ListAsync(HttpContext context, GatewayKey key)
    {
        var (limit, error) = OpenAiAnswers.LimitOf(context, MostListed, MostListed);
        var query = context.Request.Query;
        if (error is null && query["order"] is [{ } order] && order is not ("asc" or "desc"))
            error = CallError.Invalid($"Invalid value: '{OpenAiAnswers.Short(order)}'. Supported values are: 'asc' and 'desc'.", "order");
        if (error is not null)
            return error;
        var asked = new FileQuery(key.Project, query["purpose"], query["after"], query["order"] == "asc", limit);
        return await OpenAiAnswers.SendListAsync(context, await shelf.ListAsync(asked, context.RequestAborted), limit, f => f.Id, f => f.View);
    }

    private async Task<CallError?> ShowAsync(HttpContext context, GatewayKey key)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        return await shelf.FindAsync(key.Project, id, context.RequestAborted) is { } file ? await OpenAiAnswers.SendAsync(context, file.View) : Missing(id);
    }

    private async Task<CallError?> ReadAsync(HttpContext context, GatewayKey key)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        if (await shelf.FindAsync(key.Project, id, context.RequestAborted) is not { } file)
            return Missing(id);
        await using var content = await shelf.OpenAsync(file, context.RequestAborted);
        OpenAiAnswers.MarkDownload(context, file.Name);
        if (!content.CanSeek)
            context.Response.ContentLength = file.Bytes;
        await Results.Stream(content, "application/octet-stream", enableRangeProcessing: true).ExecuteAsync(context);
        return null;
    }

    private async Task<CallError?> ForgetAsync(HttpContext context, GatewayKey key)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        return await shelf.ForgetAsync(key.Project, id, context.RequestAborted)
            ? await OpenAiAnswers.SendAsync(context, new { id, @object = "file", deleted = true }) : Missing(id);
    }
}
