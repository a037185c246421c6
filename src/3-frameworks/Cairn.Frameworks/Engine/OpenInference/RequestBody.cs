using System.Buffers;
using System.IO.Compression;
using Cairn.Frameworks.Engine.Tensors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>Reads a whole body into rented memory, unpacked where it came packed, and never more than the bound.</summary>
internal static class RequestBody
{
    /// <exception cref="RefusedException">Larger than the bound, or packed in a way that is not understood.</exception>
    public static async ValueTask<PooledBytes> ReadAsync(HttpContext context, int limit)
    {
        var body = new PooledBytes(limit);
        try
        {
            // Before the server's own bound is lowered: past it the server cuts the connection, and the client never reads why.
            if (context.Request.ContentLength > limit)
                throw TooLarge(limit);
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bound)
                bound.MaxRequestBodySize = limit;
            var encoding = context.Request.Headers.ContentEncoding;
            if (encoding.Count == 0 || encoding[0] is null or "" or "identity")
                await ReadPlainAsync(context, body, limit);
            else
                await ReadPackedAsync(context, encoding[0]!, body, limit);
            return body;
        }
        catch (BadHttpRequestException failure)
        {
            body.Dispose();
            throw failure.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLarge(limit) : RefusedException.Invalid(failure.Message);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    private static async ValueTask ReadPlainAsync(HttpContext context, PooledBytes body, int limit)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(context.RequestAborted);
            if (result.Buffer.Length > limit - body.Length)
                throw TooLarge(limit);
            foreach (var segment in result.Buffer)
                body.Write(segment.Span);
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return;
        }
    }

    private static async ValueTask ReadPackedAsync(HttpContext context, string encoding, PooledBytes body, int limit)
    {
        await using Stream unpacked = encoding.ToLowerInvariant() switch
        {
            "gzip" => new GZipStream(context.Request.Body, CompressionMode.Decompress),
            // HTTP's deflate is zlib's format (RFC 9110 8.4.1.2).
            "deflate" => new ZLibStream(context.Request.Body, CompressionMode.Decompress),
            _ => throw new RefusedException(
                new(RefusalKind.Unsupported, $"Content-Encoding '{encoding}' is not understood; gzip, deflate or identity is expected")),
        };
        try
        {
            while (true)
            {
                // A bomb stops at the bound, however small it was packed.
                if (body.Length == limit)
                    throw TooLarge(limit);
                var memory = body.GetMemory(Math.Min(16 << 10, limit - body.Length));
                var read = await unpacked.ReadAsync(memory[..Math.Min(memory.Length, limit - body.Length)], context.RequestAborted);
                if (read == 0)
                    return;
                body.Advance(read);
            }
        }
        catch (InvalidDataException failure)
        {
            throw RefusedException.Invalid($"the body is not {encoding}: {failure.Message}");
        }
    }

    private static RefusedException TooLarge(int limit) =>
        new(new(RefusalKind.TooLarge, $"the request's body is larger than {limit} bytes"));
}
