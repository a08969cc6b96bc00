using Confluent.Kafka;

namespace Events.Kafka.Messages;

/// <summary>Up to which length bodies go to Kafka. A cluster that takes less than is usual is given less, so that one large event holds nothing up.</summary>
internal sealed class BodyLimit(int largest)
{
    private const int Smallest = 1_000;
    private int _largest = largest;

    public int Largest => Volatile.Read(ref _largest);

    public void Learn(Exception why)
    {
        if (why is KafkaException { Error.Code: ErrorCode.MsgSizeTooLarge } && Largest > Smallest)
        {
            Volatile.Write(ref _largest, Largest / 4);
        }
    }
}
