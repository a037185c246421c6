using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Cairn.Server.Problems;
using Cairn.State;
using Microsoft.AspNetCore.Http;

namespace Cairn.Server.Idempotency;

/// <summary>
/// A POST that carries <c>Idempotency-Key</c> has one effect however often it is sent: the first reply is kept for a day and given again.
/// The same key with another body is refused. POST /jobs is left to Fleet, which keeps the key in the job's own transaction.
/// </summary>
internal sealed class IdempotentReplies(RequestDelegate next, Store store, TimeProvider time)
{
    public const int MaxKeyLength = 200;
    private const int MaxBodyBytes = 4 << 20;

    private readonly ConcurrentDictionary<(Guid Caller, string Key), byte> _underWay = new();

    public async Task InvokeAsync(HttpContext context)
    {
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        var caller = context.Features.Get<Caller>();
        var jobs = context.Request.Path.Equals("/api/v1/jobs", StringComparison.OrdinalIgnoreCase);
        if (key.Length == 0 || caller is null || jobs || !HttpMethods.IsPost(context.Request.Method))
        {
            await next(context);
            return;
        }

        if (key.Length > MaxKeyLength)
        {
            await ProblemResponses.WriteAsync(context, StatusCodes.Status400BadRequest, new Problem(
                ProblemCodes.InvalidRequest, $"The Idempotency-Key has {key.Length} characters; expected at most {MaxKeyLength}."));
            return;
        }

        var slot = (caller.Key.Value, key);
        if (!_underWay.TryAdd(slot, 0))
        {
            await ProblemResponses.WriteAsync(context, StatusCodes.Status409Conflict, new Problem(
                ProblemCodes.Conflict, "A request with this Idempotency-Key is still under way; send it again in a moment."));
            return;
        }

        try
        {
            await ReplyOnceAsync(context, caller, key);
        }
        finally
        {
            _underWay.TryRemove(slot, out _);
        }
    }

    private async Task ReplyOnceAsync(HttpContext context, Caller caller, string key)
    {
        var hash = await HashRequestAsync(context);
        var kept = await store.ReadAsync(
            session => session.QuerySingleOrDefault<KeptReply>(
                "SELECT request_hash, status, content_type, body FROM idempotent_replies WHERE key_id = @KeyId AND idempotency_key = @Key",
                new { KeyId = caller.Key, Key = key }),
            context.RequestAborted);
        if (kept is not null)
        {
            await RepeatAsync(context, kept, hash);
            return;
        }

        var outer = context.Response.Body;
        using var buffer = new MemoryStream();
        context.Response.Body = buffer;
        try
        {
            await next(context);
        }
        finally
        {
            context.Response.Body = outer;
        }

        // Refusals are not kept: what was refused had no effect and may be tried again. Nor is a reply that shows a secret once.
        var keep = context.Response.StatusCode < 300 && !context.Response.Headers.CacheControl.ToString().Contains("no-store", StringComparison.Ordinal);
        if (keep && buffer.Length <= MaxBodyBytes)
            await KeepAsync(context, caller, key, hash, Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
        buffer.Position = 0;
        await buffer.CopyToAsync(outer, context.RequestAborted);
    }

    private Task KeepAsync(HttpContext context, Caller caller, string key, string hash, string body)
    {
        var now = time.GetUtcNow();
        var reply = new
        {
            KeyId = caller.Key, Key = key, Hash = hash, Status = (long)context.Response.StatusCode, context.Response.ContentType, Body = body, CreatedAt = now,
            Oldest = now.AddDays(-1),
        };
        return store.WriteAsync(
            session =>
            {
                session.Execute("DELETE FROM idempotent_replies WHERE created_at < @Oldest", reply);
                session.Execute(
                    """
                    INSERT INTO idempotent_replies (key_id, idempotency_key, request_hash, status, content_type, body, created_at)
                    VALUES (@KeyId, @Key, @Hash, @Status, @ContentType, @Body, @CreatedAt) ON CONFLICT (key_id, idempotency_key) DO NOTHING
                    """,
                    reply);
            },
            CancellationToken.None);
    }

    private static async Task RepeatAsync(HttpContext context, KeptReply kept, string hash)
    {
        if (kept.RequestHash != hash)
        {
            await ProblemResponses.WriteAsync(context, StatusCodes.Status422UnprocessableEntity, new Problem(
                ProblemCodes.IdempotencyMismatch, "This Idempotency-Key was used for another request; use a new key for a new request."));
            return;
        }

        context.Response.StatusCode = (int)kept.Status;
        context.Response.ContentType = kept.ContentType;
        context.Response.Headers["Idempotent-Replayed"] = "true";
        await context.Response.WriteAsync(kept.Body, context.RequestAborted);
    }

    private static async Task<string> HashRequestAsync(HttpContext context)
    {
        context.Request.EnableBuffering(bufferThreshold: 1 << 20);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{context.Request.Path}{context.Request.QueryString}\n"));
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await context.Request.Body.ReadAsync(chunk, context.RequestAborted)) > 0)
            hash.AppendData(chunk, 0, read);
        context.Request.Body.Position = 0;
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private sealed record KeptReply
    {
        public string RequestHash { get; init; } = "";

        public long Status { get; init; }

        public string? ContentType { get; init; }

        public string Body { get; init; } = "";
    }
}
