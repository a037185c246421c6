using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Fleet.Tests.Link;
using Cairn.State;

namespace Cairn.Fleet.Tests.Blobs;

public sealed class Blobs_over_http : IAsyncLifetime
{
    private LinkServer _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await LinkServer.StartAsync(server => server.LinkOptions.MaxBlobBytes = 40 << 20);

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task What_is_missing_is_sent_and_then_there()
    {
        // More than Kestrel's own limit for a request's body.
        var content = new byte[35 << 20];
        new Random(2).NextBytes(content);
        var (hash, other) = (BlobHash.Of(content), BlobHash.Of([1]));
        Assert.Equal([hash, other], await MissingAsync(hash, other, hash));
        Assert.Equal(HttpStatusCode.NoContent, (await PutAsync(hash, content)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await PutAsync(hash, content)).StatusCode);
        Assert.Equal([other], await MissingAsync(hash, other));
        Assert.Equal(content, await _server.Http.GetByteArrayAsync("blobs/" + hash, Token));
        Assert.Equal(HttpStatusCode.NotFound, (await _server.Http.GetAsync("blobs/" + other, Token)).StatusCode);
    }

    [Fact]
    public async Task A_content_of_another_hash_is_refused_and_nothing_of_it_is_kept()
    {
        var hash = BlobHash.Of([1, 2, 3]);
        var refused = await PutAsync(hash, [1, 2, 4]);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal("invalid_request", (await refused.Content.ReadFromJsonAsync<JsonElement>(Token)).GetProperty("code").GetString());
        Assert.Equal([hash], await MissingAsync(hash));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_server.DataFolder, "blobs"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Names_that_are_no_hashes_and_contents_beyond_the_limit_are_refused()
    {
        foreach (var name in new[] { "..%2F..%2Fetc%2Fpasswd", new string('A', 64), "abc" })
            Assert.Equal(HttpStatusCode.BadRequest, (await PutAsync(name, [1])).StatusCode);
        var answer = await _server.Http.PostAsJsonAsync("blobs/missing", new { hashes = new[] { "nonsense" } }, Token);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PutAsync(BlobHash.Of([1]), new byte[41 << 20])).StatusCode);
    }

    private async Task<HttpResponseMessage> PutAsync(string hash, byte[] content)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, "blobs/" + hash) { Content = new ByteArrayContent(content) };
        // A refusal may come before the content is sent.
        request.Headers.ExpectContinue = true;
        return await _server.Http.SendAsync(request, Token);
    }

    private async Task<string[]> MissingAsync(params string[] hashes)
    {
        var answer = await _server.Http.PostAsJsonAsync("blobs/missing", new { hashes }, ApiJson.Compact, Token);
        return [.. (await answer.Content.ReadFromJsonAsync<JsonElement>(Token)).GetProperty("missing").EnumerateArray()
            .Select(h => h.GetString()!)];
    }
}
