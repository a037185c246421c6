using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cairn.State.Tests.Blobs;

/// <summary>A fake of the few S3 verbs that blobs use, on loopback, over real HTTP. It does not check signatures.</summary>
internal sealed class FakeS3 : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, SortedDictionary<int, byte[]>> _uploads = new();
    private int _upload;

    private FakeS3()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public ConcurrentDictionary<string, byte[]> Objects { get; } = new();

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Runs before a conditional put is judged; lets a test put the same object first.</summary>
    public Action<string> BeforePut { get; set; } = _ => { };

    /// <summary>Answers every request with this status instead, where set.</summary>
    public int? Fails { get; set; }

    public string Address => _app.Urls.First();

    public static async Task<FakeS3> StartAsync(CancellationToken cancellationToken)
    {
        var fake = new FakeS3();
        await fake._app.StartAsync(cancellationToken);
        return fake;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var key = context.Request.Path.Value![1..];
        var query = context.Request.Query;
        Requests.Enqueue($"{context.Request.Method} {key}{context.Request.QueryString}");
        if (Fails is { } status)
            await RefuseAsync(context, status, "AccessDenied");
        else if (context.Request.Method is "GET" or "HEAD")
            await ReadAsync(context, key);
        else if (context.Request.Method == "PUT" && query.TryGetValue("partNumber", out var part))
            await PutPartAsync(context, query["uploadId"]!, int.Parse(part!, CultureInfo.InvariantCulture));
        else if (context.Request.Method == "PUT")
            await PutAsync(context, key);
        else if (context.Request.Method == "DELETE")
            Remove(context, key);
        else if (query.ContainsKey("uploads"))
            await BeginUploadAsync(context, key);
        else
            await EndUploadAsync(context, key, query["uploadId"]!);
    }

    private async Task ReadAsync(HttpContext context, string key)
    {
        if (!Objects.TryGetValue(key, out var content))
        {
            await RefuseAsync(context, 404, "NoSuchKey");
            return;
        }
        context.Response.ContentLength = content.Length;
        context.Response.Headers.ETag = TagOf(content);
        if (context.Request.Method == "GET")
            await context.Response.Body.WriteAsync(content);
    }

    private void Remove(HttpContext context, string key)
    {
        Objects.TryRemove(key, out _);
        context.Response.StatusCode = 204;
    }

    private async Task PutAsync(HttpContext context, string key)
    {
        var content = await BodyAsync(context.Request);
        BeforePut(key);
        if (context.Request.Headers.IfNoneMatch == "*" && Objects.ContainsKey(key))
        {
            await RefuseAsync(context, 412, "PreconditionFailed");
            return;
        }
        Objects[key] = content;
        context.Response.Headers.ETag = TagOf(content);
    }

    private async Task BeginUploadAsync(HttpContext context, string key)
    {
        var id = $"upload{Interlocked.Increment(ref _upload)}";
        _uploads[id] = [];
        await XmlAsync(context,
            $"<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{key}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
    }

    private async Task PutPartAsync(HttpContext context, string upload, int part)
    {
        var content = await BodyAsync(context.Request);
        lock (_uploads[upload])
            _uploads[upload][part] = content;
        context.Response.Headers.ETag = TagOf(content);
    }

    private async Task EndUploadAsync(HttpContext context, string key, string upload)
    {
        Objects[key] = [.. _uploads[upload].Values.SelectMany(part => part)];
        await XmlAsync(context, $"<CompleteMultipartUploadResult><Key>{key}</Key><ETag>\"etag\"</ETag></CompleteMultipartUploadResult>");
    }

    /// <summary>S3 tags an object with its MD5, and its clients hold what they got against that.</summary>
    private static string TagOf(byte[] content) => $"\"{Convert.ToHexStringLower(MD5.HashData(content))}\"";

    private static Task RefuseAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        return context.Request.Method == "HEAD"
            ? Task.CompletedTask
            : XmlAsync(context, $"<Error><Code>{code}</Code><Message>{code}</Message></Error>");
    }

    private static Task XmlAsync(HttpContext context, string xml)
    {
        context.Response.ContentType = "application/xml";
        return context.Response.WriteAsync("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + xml);
    }

    /// <summary>
    /// The body, out of S3's signed chunks (<c>size;chunk-signature=…</c>, a line, the bytes, a line) where it came in them.
    /// </summary>
    private static async Task<byte[]> BodyAsync(HttpRequest request)
    {
        using var whole = new MemoryStream();
        await request.Body.CopyToAsync(whole);
        var bytes = whole.ToArray();
        if (!request.Headers.ContainsKey("x-amz-decoded-content-length"))
            return bytes;
        using var content = new MemoryStream();
        for (var at = 0; at < bytes.Length;)
        {
            var line = Array.IndexOf(bytes, (byte)'\n', at);
            var header = Encoding.ASCII.GetString(bytes, at, line - at - 1);
            var size = int.Parse(header.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0)
                break;
            content.Write(bytes, line + 1, size);
            at = line + 1 + size + 2;
        }
        return content.ToArray();
    }
}
