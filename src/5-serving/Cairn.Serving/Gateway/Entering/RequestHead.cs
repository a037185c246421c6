using System.Globalization;
using Cairn.Serving.Gateway.Calls;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.Entering;

/// <summary>
/// What every answer says of its request: <c>x-request-id</c>, and <c>cairn-overhead-ms</c>, the time that Cairn itself took until the
/// answer began. Time in which it waited for the client's body, a replica to wake or an answer from one is not Cairn's. One task at a
/// time goes on with a request, so nothing here is locked.
/// </summary>
internal sealed class RequestHead(HttpContext context, string id, TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();
    private TimeSpan _away;
    private long _left;
    private bool _passes;

    public string Id { get; } = id;

    /// <summary>Names the request and sees to it that its answer says so, whoever gives it.</summary>
    public static void Begin(HttpContext context, RequestIds ids, TimeProvider time)
    {
        var head = new RequestHead(context, ids.Next(), time);
        context.Features.Set(head);
        context.Response.Headers[RequestIds.Header] = head.Id;
        context.Response.OnStarting(static state => ((RequestHead)state).Stamp(), head);
    }

    /// <summary>From here on the time is not Cairn's own.</summary>
    public static void Leave(HttpContext context)
    {
        if (context.Features.Get<RequestHead>() is { } head)
            head._left = head.Now;
    }

    /// <summary>From here on it is again.</summary>
    public static void Return(HttpContext context)
    {
        if (context.Features.Get<RequestHead>() is not { _left: not 0 } head)
            return;
        head._away += head.Since(head._left);
        head._left = 0;
    }

    /// <summary>Leaves for a replica whose headers become the answer's: what it says under these names does not count.</summary>
    public static void Pass(HttpContext context)
    {
        if (context.Features.Get<RequestHead>() is not { } head)
            return;
        head._passes = true;
        Leave(context);
    }

    private long Now => time.GetTimestamp();

    private TimeSpan Since(long timestamp) => time.GetElapsedTime(timestamp);

    private Task Stamp()
    {
        var headers = context.Response.Headers;
        headers[RequestIds.Header] = Id;
        if (!_passes && headers.ContainsKey(RequestIds.Overhead))
            return Task.CompletedTask;
        var away = _left == 0 ? _away : _away + Since(_left);
        headers[RequestIds.Overhead] = Math.Max(0, (Since(_began) - away).TotalMilliseconds).ToString("0.###", CultureInfo.InvariantCulture);
        return Task.CompletedTask;
    }
}
