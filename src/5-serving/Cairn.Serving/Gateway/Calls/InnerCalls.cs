using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>A request that comes from inside the server, in a key's name and within its limits, and not over a connection.</summary>
/// <param name="Discount">What is taken off its price, percent.</param>
internal sealed record InnerCall(KeyId Key, int Discount)
{
    /// <summary>What it used; zero until it was answered.</summary>
    public TokenUsage Usage { get; set; }

    /// <summary>The usual price less the discount, rounded up to a micro-dollar.</summary>
    public Money PriceOf(Money usual) => new((long)(((Int128)usual.Micros * (100 - Discount) + 99) / 100));
}

/// <summary>What became of one.</summary>
/// <param name="Body">As a client would have got it; empty where <paramref name="Broken"/>.</param>
/// <param name="Broken">It broke off on the way, or was larger than allowed.</param>
/// <param name="ShouldRetry">As the gateway says; null leaves it to the status.</param>
internal sealed record InnerAnswer(int Status, string RequestId, byte[] Body, bool Broken, TimeSpan? RetryAfter, bool? ShouldRetry, TokenUsage Usage);

/// <summary>Asks the gateway from inside: the same way in, the same limits, the same ledger.</summary>
internal sealed class InnerCalls(InferenceGateway gateway)
{
    /// <param name="most">A larger answer is charged and not kept, bytes.</param>
    public async Task<InnerAnswer> AskAsync(CallKind kind, InnerCall call, ReadOnlyMemory<byte> body, int most, CancellationToken cancellationToken)
    {
        var lifetime = new Lifetime { RequestAborted = cancellationToken };
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        context.Request.Method = HttpMethods.Post;
        context.Request.Path = kind.Path;
        context.Request.ContentType = "application/json";
        context.Request.ContentLength = body.Length;
        using var sent = new MemoryStream(body.ToArray(), writable: false);
        await using var got = new Bounded(most);
        (context.Request.Body, context.Response.Body) = (sent, got);
        await gateway.HandleAsync(context, kind, call);
        cancellationToken.ThrowIfCancellationRequested();
        await context.Response.BodyWriter.FlushAsync(cancellationToken);
        var headers = context.Response.Headers;
        var wait = long.TryParse(headers["retry-after-ms"], out var milliseconds) ? TimeSpan.FromMilliseconds(milliseconds) : (TimeSpan?)null;
        var should = bool.TryParse(headers["x-should-retry"], out var yes) ? yes : (bool?)null;
        var broken = lifetime.Aborted || got.Overflowed;
        return new InnerAnswer(context.Response.StatusCode, headers["x-request-id"].ToString(), broken ? [] : got.ToArray(), broken, wait, should, call.Usage);
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; }

        public bool Aborted { get; private set; }

        public void Abort() => Aborted = true;
    }

    /// <summary>Keeps nothing beyond its bound, so that the rest of an answer still goes by and its usage is seen.</summary>
    private sealed class Bounded(int most) : Stream
    {
        private readonly MemoryStream _kept = new();

        public bool Overflowed { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _kept.Length;

        public override long Position
        {
            get => _kept.Position;
            set => throw new NotSupportedException();
        }

        public byte[] ToArray() => _kept.ToArray();

        public override void Write(byte[] buffer, int offset, int count)
        {
            Overflowed |= _kept.Length + count > most;
            if (!Overflowed)
                _kept.Write(buffer, offset, count);
        }

        public override void Flush()
        {
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }
    }
}
